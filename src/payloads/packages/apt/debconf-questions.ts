/**
 * Questions that packages asked by debconf and that counted as seen: with the noninteractive frontend those that got
 * their default, because nobody is there (DEBCONF_NONINTERACTIVE_SEEN, debconf(7)).
 *
 * Read from debconf's own database, stanzas of `config.dat` and `templates.dat` in /var/cache/debconf. What is only
 * told (notes, titles) is no question. Passwords are in another file, which is not read.
 */
import { join } from 'node:path';
import type { FileSystem } from '../../../host/file-system.js';
import type { Question } from '../../payload.js';
import { field, parseStanzas, type Stanza } from './control-stanzas.js';

const questionTypes = new Set(['string', 'boolean', 'select', 'multiselect']);

export async function askedQuestions(files: FileSystem, root: string): Promise<Question[]> {
  const read = (name: string): Promise<string> =>
    files.readFile(join(root, '/var/cache/debconf', name)).catch(() => '');
  const [answers, templates] = await Promise.all([read('config.dat'), read('templates.dat')]);
  return seenQuestions(parseStanzas(answers), parseStanzas(templates));
}

/** Pure, in the order of the database. */
export function seenQuestions(answers: readonly Stanza[], templates: readonly Stanza[]): Question[] {
  const byName = new Map(templates.map((template) => [field(template, 'Name'), template]));
  return answers.flatMap((answer) => {
    const isSeen = (field(answer, 'Flags') ?? '').split(/[\s,]+/).includes('seen');
    const template = byName.get(field(answer, 'Template'));
    const type = template && field(template, 'Type');
    if (!isSeen || !template || type === undefined || !questionTypes.has(type)) return [];
    const value = field(answer, 'Value') ?? field(template, 'Default') ?? '';
    return [
      { name: field(answer, 'Name') ?? '', type, text: field(template, 'Description') ?? '', answer: value },
    ];
  });
}
