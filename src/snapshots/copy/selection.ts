/**
 * What is to be saved of this machine and how: by a hard link where nobody writes into the file, which costs neither
 * time nor space, else as a copy. All paths are relative to the root, without a slash in front.
 *
 * A hard link shares the inode with the file in its place. dpkg unpacks a new file beside the old one and renames it
 * over it, so the old inode stays as it was; but it takes the rights away from a set-uid file before that (0600, so that
 * nobody keeps a hole by a link), and an administrator edits what lies in /etc: those are copied.
 */
import { join } from 'node:path';
import type { Entry, FileSystem } from '../../host/file-system.js';
import { ifThere } from '../../host/if-there.js';
import type { Mount } from '../../host/mounts.js';
import { UpdateError } from '../../update/errors.js';
import {
  dpkgFolders,
  isInWholeFolder,
  pythonCacheOf,
  singleFiles,
  walkedFolders,
  wholeFolders,
} from './scope.js';
import { truePaths } from './true-path.js';

export interface Selection {
  /** Files and whole folders that a hard link is good for. */
  linked: string[];
  copied: string[];
  /** Folders of packages; those without a saved file in them are made by themselves. */
  folders: string[];
  /** Saved with all in them. */
  whole: string[];
  /** Of those, the ones that are mounts of their own. */
  mounted: string[];
  walked: string[];
  /** Not there: goes when it is there later. */
  absent: string[];
}

export function emptySelection(): Selection {
  return { linked: [], copied: [], folders: [], whole: [], mounted: [], walked: [], absent: [] };
}

export interface SelectionPorts {
  fs: FileSystem;
  root: string;
  /** Of the file system that the copy lies on, which alone can share inodes with it. */
  device: number;
  mounts: readonly Mount[];
  /** What the boot loader reads and is mounted (boot-mounts.ts). */
  bootMounts: readonly string[];
}

/** Why nothing can be saved here; undefined when it can. What a link leads to is not followed, and would be lost with it. */
export async function whyNotSaved(ports: Pick<SelectionPorts, 'fs' | 'root'>): Promise<string | undefined> {
  for (const path of wholeFolders) {
    const entry = await entryAt(ports, path);
    if (entry && entry.kind !== 'folder') return `${path} is a ${entry.kind}, not a folder`;
  }
  return undefined;
}

/** Errors: `SNAPSHOT_UNAVAILABLE` as `whyNotSaved` says. */
export async function select(ports: SelectionPorts, owned: readonly string[]): Promise<Selection> {
  const { mounts, device, root } = ports;
  const selection = emptySelection();
  const reason = await whyNotSaved(ports);
  if (reason !== undefined) throw new UpdateError('SNAPSHOT_UNAVAILABLE', reason);
  const isMount = (path: string): boolean =>
    mounts.some(({ target, type }) => target === join(root, path) && type !== 'autofs');
  for (const path of new Set([...wholeFolders, ...ports.bootMounts])) {
    if (!(await entryAt(ports, path))) {
      selection.absent.push(bare(path));
      continue;
    }
    selection.whole.push(bare(path));
    if (isMount(path)) selection.mounted.push(bare(path));
    await selectWhole(ports, path, selection);
  }
  for (const path of singleFiles) {
    const entry = await entryAt(ports, path);
    (entry ? selection.copied : selection.absent).push(bare(path));
  }
  for (const path of walkedFolders) {
    const entry = await entryAt(ports, path);
    if (entry?.kind === 'folder') selection.walked.push(bare(path));
    else if (!entry) selection.absent.push(bare(path));
  }
  const truePath = truePaths(ports.fs, ports.root);
  const caches = new Set(owned.flatMap((path) => pythonCacheOf(path) ?? []));
  await inParallel([...owned, ...caches, ...(await linksAtTop(ports))], async (name) => {
    const path = await truePath(name);
    if (path === undefined || isInWholeFolder(path)) return;
    const entry = await entryAt(ports, path);
    if (!entry) return;
    const isLinkable = entry.device === device && (entry.mode & 0o7000) === 0;
    if (entry.kind === 'folder' && !caches.has(name)) selection.folders.push(bare(path));
    else if (isLinkable) selection.linked.push(bare(path));
    else selection.copied.push(bare(path));
  });
  return selection;
}

/** Of the package database, what only dpkg writes is linked; everything else is copied. */
async function selectWhole(ports: SelectionPorts, path: string, selection: Selection): Promise<void> {
  const parts = dpkgFolders.filter((folder) => folder.startsWith(`${path}/`));
  if (parts.length === 0) {
    selection.copied.push(bare(path));
    return;
  }
  for (const name of await ports.fs.readFolder(join(ports.root, path))) {
    const inside = `${path}/${name}`;
    const isLinkable = (parts as readonly string[]).includes(inside);
    const entry = await entryAt(ports, inside);
    if (isLinkable && entry?.device === ports.device) selection.linked.push(bare(inside));
    else selection.copied.push(bare(inside));
  }
}

/** `/vmlinuz` and its like, which kernel packages make. */
async function linksAtTop(ports: SelectionPorts): Promise<string[]> {
  const links: string[] = [];
  for (const name of await ports.fs.readFolder(ports.root)) {
    if (name.startsWith('system-update')) continue;
    if ((await entryAt(ports, `/${name}`))?.kind === 'symlink') links.push(`/${name}`);
  }
  return links;
}

function entryAt(
  { fs, root }: Pick<SelectionPorts, 'fs' | 'root'>,
  path: string,
): Promise<Entry | undefined> {
  return ifThere(fs.lstat(join(root, path)));
}

function bare(path: string): string {
  return path.slice(1);
}

/** lstat(2) waits for the disk: many at a time. */
async function inParallel<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}
