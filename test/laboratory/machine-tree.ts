import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Path inside the machine -> type, mode, owner and content, in one line. Times are not in it. */
export type Tree = ReadonlyMap<string, string>;

export interface TreeOptions {
  /** Paths left out, with all below them, besides `volatilePaths`. */
  exclude?: readonly (string | RegExp)[];
}

/** What any boot changes, or what is a mount there. */
export const volatilePaths: readonly string[] = [
  '/dev',
  '/proc',
  '/run',
  '/sys',
  '/tmp',
  '/var/tmp',
  '/var/log/journal',
  '/var/log/wtmp',
  '/var/log/btmp',
  '/var/lib/systemd',
  '/var/cache/apt/pkgcache.bin',
  '/var/cache/apt/srcpkgcache.bin',
  '/etc/.updated',
  '/var/.updated',
];

export async function readTree(root: string, options: TreeOptions = {}): Promise<Tree> {
  const tree = new Map<string, string>();
  const exclude: (string | RegExp)[] = [...volatilePaths, ...(options.exclude ?? [])];
  const excluded = (path: string) =>
    exclude.some((each) => (typeof each === 'string' ? each === path : each.test(path)));
  const walk = async (folder: string): Promise<void> => {
    for (const name of (await readdir(join(root, folder))).sort()) {
      const path = join(folder, name);
      if (excluded(path)) continue;
      const stats = await lstat(join(root, path), { bigint: true });
      const mode = (stats.mode & 0o7777n).toString(8).padStart(4, '0');
      const owner = `${stats.uid}:${stats.gid}`;
      const outside = join(root, path);
      if (stats.isDirectory()) {
        tree.set(path, `folder ${mode} ${owner}`);
        await walk(path);
      } else if (stats.isSymbolicLink()) {
        tree.set(path, `link ${owner} ${await readlink(outside)}`);
      } else if (stats.isFile()) {
        tree.set(path, `file ${mode} ${owner} ${stats.size} ${await contentHash(path, outside, stats)}`);
      } else {
        tree.set(path, `device ${mode} ${owner} ${stats.rdev}`);
      }
    }
  };
  await walk('/');
  return tree;
}

/** Lower layers are the same files for every machine, and are read once. */
const hashes = new Map<string, string>();

async function contentHash(
  path: string,
  outside: string,
  stats: { ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint },
): Promise<string> {
  // Without the device, which is another one for each overlay; nobody can set the time of the last change.
  const key = [path, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join();
  const known = hashes.get(key);
  if (known !== undefined) return known;
  const hash = createHash('sha256');
  await pipeline(createReadStream(outside), hash);
  const digest = hash.digest('hex');
  hashes.set(key, digest);
  return digest;
}

export function hashOfTree(tree: Tree): string {
  const hash = createHash('sha256');
  for (const [path, line] of tree) hash.update(`${path}\0${line}\n`);
  return hash.digest('hex');
}

/** One line for each path that differs: `+ path` only after, `- path` only before, `! path` changed. */
export function treeDifference(before: Tree, after: Tree): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === now) return [];
    if (old === undefined) return [`+ ${path}`];
    return [now === undefined ? `- ${path}` : `! ${path}`];
  });
}
