/** The record of a rehearsal, `rehearsal.json` beside the plan in the history. */
import type { FileSystem } from '../../host/file-system.js';
import { ifThere } from '../../host/if-there.js';
import { parseRehearsal, type Rehearsal } from '../../update/rehearsal.js';
import type { KnownUpdate } from '../../update/store.js';

/** Undefined when there was none. Errors: `PLAN_INVALID`, `FORMAT_TOO_NEW`. */
export async function readRehearsal(
  fs: Pick<FileSystem, 'readFile'>,
  update: KnownUpdate,
): Promise<Rehearsal | undefined> {
  const text = await ifThere(fs.readFile(update.paths.rehearsal));
  return text === undefined ? undefined : parseRehearsal(text);
}
