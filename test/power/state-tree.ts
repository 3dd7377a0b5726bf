/**
 * All files of a crash state, as lines that two states can be compared by. Reading every file of a root takes a second, so
 * the content of those is taken as known that were there before the recording and were not touched since: their inode,
 * size and time of the last change are the same. With `everything` they are read as well.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats } from 'node:fs';
import { ownPaths } from '../fixtures/own-paths.js';
import { volatilePaths, type Tree } from '../laboratory/laboratory.js';

/** Judged for itself, as what is ours is. */
const stage = '/var/lib/system-update';
/** Which packages are there is told by dpkg's status, not by its log, nor by what apt was asked last. */
const chronicles = [
  '/var/log/apt',
  '/var/log/dpkg.log',
  '/var/log/alternatives.log',
  '/var/lib/dpkg/status-old',
  '/var/lib/dpkg/diversions-old',
  '/var/lib/dpkg/statoverride-old',
  '/var/cache/debconf/config.dat-old',
  '/var/cache/debconf/templates.dat-old',
  '/var/cache/ldconfig/aux-cache',
];

export class StateTrees {
  /** By path: what an untouched file looks like, and its line. */
  readonly #known = new Map<string, { inode: string; line: string }>();

  /** `root` as it is right before the recording. */
  constructor(root: string) {
    this.#read(root, (path, inode, line) => {
      this.#known.set(path, { inode, line });
    });
  }

  read(root: string, everything: boolean): Tree {
    return this.#read(root, undefined, everything ? undefined : this.#known);
  }

  #read(
    root: string,
    each?: (path: string, inode: string, line: string) => void,
    known?: ReadonlyMap<string, { inode: string; line: string }>,
  ): Tree {
    const tree = new Map<string, string>();
    const walk = (folder: string): void => {
      for (const name of readdirSync(root + folder).sort()) {
        const path = `${folder}/${name}`;
        if (excluded.has(path)) continue;
        const outside = root + path;
        const stats = lstatSync(outside);
        const inode = `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.mode}`;
        const before = known?.get(path);
        const line = before?.inode === inode ? before.line : lineOf(path, outside, stats);
        tree.set(path, line);
        each?.(path, inode, line);
        if (stats.isDirectory()) walk(path);
      }
    };
    walk('');
    return tree;
  }
}

const excluded = new Set([...volatilePaths, ...ownPaths, stage, ...chronicles]);

/** What separates the entries of files whose order is that in which packages were unpacked, and means nothing. */
const unordered = new Map([
  ['/var/lib/dpkg/triggers/File', '\n'],
  ['/var/cache/debconf/config.dat', '\n\n'],
  ['/var/cache/debconf/templates.dat', '\n\n'],
]);

function lineOf(path: string, outside: string, stats: Stats): string {
  const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
  const owner = `${stats.uid}:${stats.gid}`;
  if (stats.isDirectory()) return `folder ${mode} ${owner}`;
  if (stats.isSymbolicLink()) return `link ${owner} ${readlinkSync(outside)}`;
  if (!stats.isFile()) return `device ${mode} ${owner} ${stats.rdev}`;
  const read = readFileSync(outside);
  const separator = unordered.get(path);
  const content = separator === undefined ? read : read.toString().split(separator).sort().join(separator);
  const hash = createHash('sha256').update(content).digest('hex');
  return `file ${mode} ${owner} ${stats.size} ${hash}`;
}
