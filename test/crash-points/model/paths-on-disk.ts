/** Finding inodes by path, with mounts and symbolic links, as Linux does for root. */
import { basename, dirname, join, resolve } from 'node:path';
import type { Disk, Inode } from './disk.js';

export interface View {
  disk: Disk;
  /** Where an inode is mounted: `/` first. */
  mounts: Map<string, number>;
}

export function errno(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}

/** The number of the inode under a path; the last link is followed only on request. */
export function find(view: View, path: string, follow: boolean, depth = 0): number {
  if (depth > 40) throw errno('ELOOP', path);
  const mounted = view.mounts.get(path);
  if (mounted !== undefined) return mounted;
  const folder = find(view, dirname(path), true, depth + 1);
  const { kind, names } = view.disk.inode(folder);
  if (kind !== 'folder') throw errno('ENOTDIR', path);
  const number = names.get(basename(path));
  if (number === undefined) throw errno('ENOENT', path);
  const inode = view.disk.inode(number);
  if (inode.kind !== 'symlink' || !follow) return number;
  return find(view, resolve(dirname(path), inode.text), true, depth + 1);
}

export function findFolder(view: View, path: string): number {
  const number = find(view, path, true);
  if (view.disk.inode(number).kind !== 'folder') throw errno('ENOTDIR', path);
  return number;
}

/** The folder that holds the name, and what the name stands for now. */
export function place(view: View, path: string): { folder: number; name: string; there: number | undefined } {
  const folder = findFolder(view, dirname(path));
  const name = basename(path);
  return { folder, name, there: view.disk.inode(folder).names.get(name) };
}

/** Every path below a folder in byte order, without what is mounted over it. */
export function* walk(
  graph: ReadonlyMap<number, Inode>,
  folder: number,
  path = '/',
): Generator<[path: string, inode: Inode, number: number]> {
  const inode = graph.get(folder);
  if (inode === undefined) return;
  for (const name of [...inode.names.keys()].sort()) {
    const number = inode.names.get(name) ?? -1;
    const child = graph.get(number);
    if (child === undefined) continue;
    yield [join(path, name), child, number];
    if (child.kind === 'folder') yield* walk(graph, number, join(path, name));
  }
}
