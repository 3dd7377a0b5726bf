/**
 * A unit or generator file as systemd finds it: the first folder that has the name wins, and an empty file or a link
 * to /dev/null there masks what the later folders hold (systemd.unit(5), systemd.generator(7)).
 */
import { dirname, join, resolve } from 'node:path';
import type { FileSystem } from '../../host/file-system.js';
import { isErrno } from '../../host/host-error.js';

export type Lookup =
  | { kind: 'absent' }
  | { kind: 'masked'; path: string }
  /** `mode`: permission bits of the file itself. */
  | { kind: 'there'; path: string; mode: number };

/** Highest first, without the folders of generators and of `systemctl set-property`. */
export const unitFolders = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
];

export const generatorFolders = [
  '/run/systemd/system-generators',
  '/etc/systemd/system-generators',
  '/usr/local/lib/systemd/system-generators',
  '/usr/lib/systemd/system-generators',
];

export async function lookUp(
  fs: FileSystem,
  root: string,
  folders: readonly string[],
  name: string,
): Promise<Lookup> {
  for (const folder of folders) {
    const path = join(folder, name);
    const found = await follow(fs, root, path);
    if (found === 'nothing') continue;
    if (found === 'dev-null' || (found.kind === 'file' && found.size === 0)) return { kind: 'masked', path };
    return { kind: 'there', path, mode: found.mode };
  }
  return { kind: 'absent' };
}

const MOST_LINKS = 8;

type Followed = { kind: 'file' | 'folder' | 'other'; size: number; mode: number } | 'dev-null' | 'nothing';

/** Links are followed below `root`, as they will be when it is booted. */
async function follow(fs: FileSystem, root: string, path: string): Promise<Followed> {
  let at = path;
  for (let links = 0; links < MOST_LINKS; links += 1) {
    if (at === '/dev/null') return 'dev-null';
    try {
      const { kind, size, mode } = await fs.lstat(join(root, at));
      if (kind !== 'symlink') return { kind, size, mode };
      at = resolve(dirname(at), await fs.readLink(join(root, at)));
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'nothing';
      throw error;
    }
  }
  return 'nothing';
}
