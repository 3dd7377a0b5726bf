/** What the pages tell a person to type is what the command knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeProgram } from '../../src/cli/cli.js';
import { verbs } from '../../src/cli/verbs/verbs.js';

const root = join(import.meta.dirname, '../..');
const silent = { write: () => true };
const program = makeProgram(verbs, () => () => Promise.resolve(), { stdout: silent, stderr: silent });
const verbNames = new Set(program.commands.map((verb) => verb.name()));

/** In blocks and between backticks, up to a comment, a pipe or another command; there also without its name. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh|console)\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  const inline = [...text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) =>
    verbNames.has(code.split(' ')[0] ?? '') ? `offline-update ${code}` : code,
  );
  return [...blocks.flatMap((block) => block.split('\n')), ...inline].flatMap(
    (line) => line.match(/(?<![\w./-])offline-update [a-z][^#|;&<]*/g) ?? [],
  );
}

void t.test('each command in a page has a verb and options that the command knows', (t) => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
  ];
  const commands = pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) =>
      commandsIn(readFileSync(join(root, page), 'utf8')).map((command) => ({ page, command })),
    );
  t.ok(commands.length > 80, `${commands.length} commands`);
  const unknown = commands.filter(({ command }) => {
    const [, name = '', ...words] = command.trim().split(/\s+/);
    const verb = program.commands.find((each) => each.name() === name);
    const options = words.flatMap((word) => /^\[?(--[a-z-]+)/.exec(word)?.[1] ?? []);
    return !verb || options.some((option) => !verb.options.some(({ long }) => long === option));
  });
  t.strictSame(unknown, []);
  t.end();
});
