/** Where a path really is: links in its folders followed (`/lib/x` is `/usr/lib/x`), a link at its end kept. */
import { dirname, join, resolve, basename } from 'node:path';
import type { FileSystem } from '../../host/file-system.js';
import { isErrno } from '../../host/host-error.js';

const MOST_LINKS = 40;

/** Remembers folders: thousands of files lie in hundreds of them. Resolves with undefined when a folder is missing. */
export function truePaths(fs: FileSystem, root: string): (path: string) => Promise<string | undefined> {
  const known = new Map<string, Promise<string | undefined>>();

  const folderOf = (folder: string, links: number): Promise<string | undefined> => {
    if (folder === '/') return Promise.resolve('/');
    const found = known.get(folder) ?? resolveFolder(folder, links);
    known.set(folder, found);
    return found;
  };
  const resolveFolder = async (folder: string, links: number): Promise<string | undefined> => {
    const above = await folderOf(dirname(folder), links);
    if (above === undefined || links > MOST_LINKS) return undefined;
    const path = join(above, basename(folder));
    try {
      const target = await fs.readLink(join(root, path));
      return await folderOf(resolve(above, target), links + 1);
    } catch (error) {
      if (isErrno(error, 'EINVAL')) return path;
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
      throw error;
    }
  };
  return async (path) => {
    const folder = await folderOf(dirname(path), 0);
    return folder === undefined ? undefined : join(folder, basename(path));
  };
}
