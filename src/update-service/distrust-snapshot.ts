/**
 * An update service that died may have died of the start-up snapshot that it began with. It is emptied, which keeps it from
 * being used, and keeps its name: another one is made when Node.js or the program is replaced (units/make-warm-start). One that
 * died before it began may be one that Node.js refused; it would refuse the command's, too, which has to tell of it.
 */
import { join } from 'node:path';
import { namesIn } from '../host/if-there.js';
import type { Ports } from './ports.js';
import type { RescueWord } from '../update/rescue-words.js';
import { tells, type Rescued } from './rescued.js';

/** What units/rescue says where no copy is put back; that it does after each power cut, too. */
const deaths: RescueWord[] = [
  'nothing-changed',
  'fallback-boots-next',
  'rolled-forward',
  'roll-forward-failed',
  'ended-without-leaving',
];

/** `rescued`: what the shell did without the service. Never throws: it costs no verdict. */
export async function distrustSnapshot(
  { fs, files, paths, log }: Pick<Ports, 'fs' | 'files' | 'paths' | 'log'>,
  rescued: Rescued,
): Promise<void> {
  if (!tells(rescued, ...deaths)) return;
  try {
    const names = await namesIn(fs, paths.warmStarts);
    const suspects = tells(rescued, 'nothing-changed')
      ? /^(?:update-service|offline-update)-/
      : /^update-service-/;
    for (const name of names.filter((each) => suspects.test(each)))
      await files.replace(join(paths.warmStarts, name), '');
  } catch (error) {
    log.write('warning', `the start-up snapshot could not be put out of use: ${String(error)}`);
  }
}
