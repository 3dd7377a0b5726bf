/** Files of `file:` and `copy:` sources: nothing to download, they are copied (their blocks shared where that works). */
import { join } from 'node:path';
import type { FileSystem } from '../../../host/file-system.js';
import { isErrno } from '../../../host/host-error.js';
import { UpdateError } from '../../../update/errors.js';

/** Undefined for a source that is not on this machine. */
export function localPath(uri: string): string | undefined {
  const [, path] = /^(?:file|copy):(?:\/\/(?:localhost)?(?=\/))?(\/.*)$/.exec(uri) ?? [];
  try {
    return path === undefined ? undefined : decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Errors: `DOWNLOAD_FAILED` when the source does not have it. */
export async function copyLocalFile(files: FileSystem, from: string, to: string): Promise<void> {
  // under another name first: half a file must not lie under the right one
  const unfinished = join(`${to}.copy`);
  try {
    await files.copyFile(from, unfinished);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR')) throw error;
    throw new UpdateError('DOWNLOAD_FAILED', `${from} cannot be read: ${error.message}`, {
      cause: error,
      hint: 'offline-update prepare --refresh',
    });
  }
  await files.changeMode(unfinished, 0o644);
  await files.rename(unfinished, to);
}
