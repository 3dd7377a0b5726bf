/**
 * The model disk behind the port of src/host/file-system.ts. What the kernel does in several steps is several ops here,
 * so that a power cut may come in between: the removal of a tree, the making of missing parents, a copy.
 */
import { basename, dirname, join } from 'node:path';
import type { Entry, FileSystem } from '../../../src/host/file-system.js';
import { sha256OfText } from '../../../src/host/hash.js';
import { HostError } from '../../../src/host/host-error.js';
import type { Graph, Inode } from './disk.js';
import { errno, find, findFolder, place, type View } from './paths-on-disk.js';

export function diskFileSystem(view: View): FileSystem {
  const { disk } = view;
  const create = (path: string, kind: Inode['kind'], mode: number, text = ''): number => {
    const { folder, name, there } = place(view, path);
    if (there !== undefined) throw errno('EEXIST', path);
    const { device } = disk.inode(folder);
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    // The content comes after the name: a file is made empty, and written then.
    const number = disk.make({ kind, text: kind === 'symlink' ? text : '', mode, ...owner, device });
    disk.apply({ kind: 'names', changes: [{ folder, name, to: number }] });
    if (kind === 'file' && text !== '') disk.apply({ kind: 'data', inode: number, text });
    return number;
  };
  const drop = (path: string): void => {
    const { folder, name } = place(view, path);
    disk.apply({ kind: 'names', changes: [{ folder, name, to: undefined }] });
  };
  const fileAt = (path: string): number => {
    const number = find(view, path, true);
    if (disk.inode(number).kind === 'folder') throw errno('EISDIR', path);
    return number;
  };
  const entryAt = (path: string, follow: boolean): Entry => {
    const number = find(view, path, follow);
    return entryOf(disk.inode(number), number, disk.graph);
  };
  const removeTree = (path: string): void => {
    const { there } = place(view, path);
    if (there === undefined) return;
    const { kind, names } = disk.inode(there);
    if (kind === 'folder') for (const name of names.keys()) removeTree(join(path, name));
    drop(path);
  };
  const makeFolder = (path: string, mode: number): void => {
    try {
      findFolder(view, path);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOTDIR') throw errno('EEXIST', path);
      if (code !== 'ENOENT') throw error;
    }
    makeFolder(dirname(path), mode);
    create(path, 'folder', mode);
  };

  return promised({
    readFile: (path) => disk.inode(fileAt(path)).text,
    readLink(path) {
      const { kind, text } = disk.inode(find(view, path, false));
      if (kind !== 'symlink') throw errno('EINVAL', path);
      return text;
    },
    readFolder: (path) => [...disk.inode(findFolder(view, path)).names.keys()].sort(),
    lstat: (path) => entryAt(path, false),
    stat: (path) => entryAt(path, true),
    sha256(path) {
      const { kind, text } = disk.inode(find(view, path, false));
      if (kind !== 'file') throw new HostError('NOT_A_FILE', `${path} is not a regular file`);
      return sha256OfText(text);
    },
    createFile(path, content, mode) {
      create(path, 'file', mode, content);
    },
    appendFile(path, content) {
      if (place(view, path).there === undefined) create(path, 'file', 0o600);
      const number = find(view, path, false);
      const { kind, text } = disk.inode(number);
      if (kind === 'symlink') throw errno('ELOOP', path);
      if (kind === 'folder') throw errno('EISDIR', path);
      disk.apply({ kind: 'data', inode: number, text: text + content });
    },
    symlink(target, path) {
      create(path, 'symlink', 0o777, target);
    },
    rename(from, to) {
      const inode = find(view, from, false);
      const [old, target] = [place(view, from), place(view, to)];
      if (target.there === inode) return;
      checkReplaceable(
        disk.inode(inode),
        target.there === undefined ? undefined : disk.inode(target.there),
        to,
      );
      const changes = [
        { folder: target.folder, name: basename(to), to: inode },
        { folder: old.folder, name: basename(from), to: undefined },
      ];
      disk.apply({ kind: 'names', changes });
    },
    exchange(a, b) {
      const [one, other] = [find(view, a, false), find(view, b, false)];
      const [placeA, placeB] = [place(view, a), place(view, b)];
      const changes = [
        { folder: placeA.folder, name: placeA.name, to: other },
        { folder: placeB.folder, name: placeB.name, to: one },
      ];
      disk.apply({ kind: 'names', changes });
    },
    unlink(path) {
      if (disk.inode(find(view, path, false)).kind === 'folder') throw errno('EISDIR', path);
      drop(path);
    },
    removeTree,
    makeFolder,
    changeMode(path, mode) {
      disk.apply({ kind: 'attributes', inode: find(view, path, true), change: { mode } });
    },
    changeOwner(path, uid, gid) {
      disk.apply({ kind: 'attributes', inode: find(view, path, false), change: { uid, gid } });
    },
    copyFile(from, to) {
      const { text, mode } = disk.inode(fileAt(from));
      if (place(view, to).there === undefined) create(to, 'file', mode);
      disk.apply({ kind: 'data', inode: fileAt(to), text });
    },
    linkFile(from, to) {
      const inode = find(view, from, false);
      const { folder, name, there } = place(view, to);
      if (there !== undefined) throw errno('EEXIST', to);
      disk.apply({ kind: 'names', changes: [{ folder, name, to: inode }] });
    },
    syncFile(path) {
      const number = find(view, path, false);
      if (disk.inode(number).kind === 'symlink') throw errno('ELOOP', path);
      disk.sync(number);
    },
    syncFolder(path) {
      disk.sync(findFolder(view, path));
    },
    syncFileSystem(path) {
      find(view, path, true);
      disk.syncAll();
    },
  });
}

function checkReplaceable(inode: Inode, old: Inode | undefined, to: string): void {
  if (old === undefined) return;
  if (old.kind === 'folder' && inode.kind !== 'folder') throw errno('EISDIR', to);
  if (old.kind !== 'folder' && inode.kind === 'folder') throw errno('ENOTDIR', to);
  if (old.names.size > 0) throw errno('ENOTEMPTY', to);
}

function linksTo(graph: Graph, number: number): number {
  let links = 0;
  for (const { names } of graph.values()) for (const to of names.values()) if (to === number) links += 1;
  return links;
}

function entryOf(of: Inode, inode: number, graph: Graph): Entry {
  const { kind, mode, uid, gid, device } = of;
  const size = Buffer.byteLength(of.text);
  return {
    // No clock: what is explored must not depend on one.
    ...{ kind, size, mode, uid, gid, device, inode, written: 0n },
    get links() {
      return linksTo(graph, inode); // rarely asked, and dear
    },
  };
}

type Plain = {
  [V in keyof FileSystem]: FileSystem[V] extends (...args: infer A) => Promise<infer R>
    ? (...args: A) => R
    : never;
};

/** Each verb as a promise, so that its error is a rejection. */
function promised(verbs: Plain): FileSystem {
  const rows = Object.entries(verbs).map(([name, verb]) => [
    name,
    // eslint-disable-next-line @typescript-eslint/require-await
    async (...args: unknown[]) => (verb as (...args: unknown[]) => unknown)(...args),
  ]);
  return Object.fromEntries(rows) as FileSystem;
}
