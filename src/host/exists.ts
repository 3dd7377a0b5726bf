/** Is anything of this name there? A dangling link is. Errors: as `ifThere`. */
import type { FileSystem } from './file-system.js';
import { ifThere } from './if-there.js';

export async function exists(fs: Pick<FileSystem, 'lstat'>, path: string): Promise<boolean> {
  return (await ifThere(fs.lstat(path))) !== undefined;
}
