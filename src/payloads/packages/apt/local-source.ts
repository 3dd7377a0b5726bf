/** Files of `file:` and `copy:` sources: nothing to download, they are copied (their blocks shared where that works). */
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

/**
 * Half a file may be left behind by an interruption: whoever finds it must check its hash.
 *
 * Errors: `DOWNLOAD_FAILED` when the source does not have it.
 */
export async function copyLocalFile(files: FileSystem, from: string, to: string): Promise<void> {
  try {
    await files.copyFile(from, to);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR')) throw error;
    throw new UpdateError('DOWNLOAD_FAILED', `${from} cannot be read: ${error.message}`, {
      cause: error,
      hint: 'offline-update prepare --refresh',
    });
  }
}
