/** Is anything of this name there? A dangling link is. Errors: all but `ENOENT`. */
import type { FileSystem } from './file-system.js';
import { isErrno } from './host-error.js';

export async function exists(fs: Pick<FileSystem, 'lstat'>, path: string): Promise<boolean> {
  try {
    await fs.lstat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
