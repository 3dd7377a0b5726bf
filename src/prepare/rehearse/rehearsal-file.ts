/** The record of a rehearsal, `rehearsal.json` beside the plan in the history. */
import type { FileSystem } from '../../host/file-system.js';
import { isErrno } from '../../host/host-error.js';
import { parseRehearsal, type Rehearsal } from '../../update/rehearsal.js';
import type { KnownUpdate } from '../../update/store.js';

/** Undefined when there was none. Errors: `PLAN_INVALID`, `FORMAT_TOO_NEW`. */
export async function readRehearsal(
  fs: Pick<FileSystem, 'readFile'>,
  update: KnownUpdate,
): Promise<Rehearsal | undefined> {
  try {
    return parseRehearsal(await fs.readFile(update.paths.rehearsal));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
