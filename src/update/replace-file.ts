/**
 * A small file for listeners, in one step but not synced: it says nothing that is not recorded elsewhere.
 *
 * The name beside it is always the same, so what a power cut left there is cleared by the next one; a number of the process
 * would come again in each update boot. Made anew each time, so no link that somebody put there is followed.
 */
import { basename, dirname, join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';

/** Readable by everybody. Errors: the system's own. The folder must be there. */
export async function replaceFile(fs: FileSystem, path: string, text: string): Promise<void> {
  const next = join(dirname(path), `.${basename(path)}.next`);
  await removeIfThere(fs, next);
  await fs.createFile(next, text, 0o644);
  await fs.rename(next, path);
}

export async function removeIfThere(fs: FileSystem, path: string): Promise<void> {
  await fs.unlink(path).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
  });
}
