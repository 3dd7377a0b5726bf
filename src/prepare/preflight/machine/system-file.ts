/** Files of the machine that may not be there: of /proc, /sys and /etc. */
import { join } from 'node:path';
import { isErrno } from '../../../host/host-error.js';
import type { PreflightContext } from '../context.js';

type Tree = Pick<PreflightContext, 'fs' | 'paths'>;

/** The text of a file; undefined when there is none. `path` is absolute, below the root. */
export async function systemFile({ fs, paths }: Tree, path: string): Promise<string | undefined> {
  return orUndefined(() => fs.readFile(join(paths.root, path)));
}

/** The names in a folder; none when there is no such folder. */
export async function systemFolder({ fs, paths }: Tree, path: string): Promise<string[]> {
  return (await orUndefined(() => fs.readFolder(join(paths.root, path)))) ?? [];
}

/** The lines of a table such as fstab(5), as their fields, without comments. */
export async function systemTable(tree: Tree, path: string): Promise<string[][]> {
  const lines = ((await systemFile(tree, path)) ?? '').split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(/\s+/));
}

/** The options of a mount point in fstab(5); undefined when it is not named there. Of two lines the last one counts. */
export async function mountOptions(tree: Tree, target: string): Promise<string[] | undefined> {
  const lines = await systemTable(tree, '/etc/fstab');
  const line = lines.findLast(([, path = '']) => path === target || path === `${target}/`);
  return line && (line[3] ?? 'defaults').split(',');
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // EINVAL, ENODEV, EIO: a file of sysfs whose hardware does not answer.
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EINVAL', 'ENODEV', 'EIO')) return undefined;
    throw error;
  }
}
