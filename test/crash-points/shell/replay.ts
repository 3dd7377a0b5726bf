/**
 * Steps of a real folder (traced.ts) done once more on the model disk, where the power can be cut after each change; and
 * the states that this may leave, as real folders again.
 */
import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { sha256OfText } from '../../../src/host/hash.js';
import { TOP_LEVEL } from '../model/btrfs-commands.js';
import { randomNumbers } from '../../fixtures/random-numbers.js';
import { crashStates, type Thoroughness } from '../model/crash-states.js';
import { Disk, SUPERBLOCK, type Graph, type Inode } from '../model/disk.js';
import { walk } from '../model/paths-on-disk.js';
import type { Look, Seen, Step } from './traced.js';

export interface CrashState {
  graph: Graph;
  /** The step that was the last one to be begun. */
  at: string;
  /** How many of the steps were over. */
  steps: number;
}

export interface ReplayOptions {
  /** Where the steps were made: what the words of a sync name begins with it. */
  root: string;
  /** The name of a sync that is left away; see `Replayed.syncs`. */
  without?: string | undefined;
  how: Omit<Thoroughness, 'random'>;
}

interface Replayed {
  states: CrashState[];
  /** `sync -- usr/bin`, the second of the same words with `(2)`. */
  syncs: string[];
}

const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, device: TOP_LEVEL };

export function replay(steps: readonly Step[], { root, without, how }: ReplayOptions): Replayed {
  const first = steps[0]?.look ?? new Map<string, Seen>();
  const numbers = new Map<number, number>();
  const disk = new Disk(emptyGraph());
  const random = randomNumbers(1);
  const replayed: Replayed = { states: [], syncs: [] };
  const seen = new Set<string>();
  bring(disk, numbers, new Map(), first);
  disk.syncAll();
  let at = 'begin';
  let over = 0;
  let isMutated = without === undefined;
  const cut = (): void => {
    if (!isMutated) return;
    for (const graph of crashStates(disk, { ...how, random })) {
      const key = `${over === steps.length ? 'end' : ''}${keyOf(graph)}`;
      if (!seen.has(key)) replayed.states.push({ graph, at, steps: over });
      seen.add(key);
    }
  };
  disk.onChange = cut;
  let before = first;
  const counts = new Map<string, number>();
  for (const { words, look } of steps) {
    bring(disk, numbers, before, look);
    before = look;
    const said = words.map((word) => shortName(root, word)).join(' ');
    at = said;
    over += 1;
    if (words[0] !== 'sync' || said.startsWith('sync run')) continue;
    const count = (counts.get(said) ?? 0) + 1;
    counts.set(said, count);
    const name = count === 1 ? said : `${said} (${count})`;
    replayed.syncs.push(name);
    if (name === without) isMutated = true;
    else syncOf(disk, words, root);
  }
  cut();
  return replayed;
}

/** Below the root, without what is different each time. */
function shortName(root: string, word: string): string {
  if (!word.startsWith(root)) return word;
  const inside = relative(root, word)
    .replace(/\d{8}T\d{6}-[0-9a-f]{4}/, 'ID')
    .replace(/\.\d+-\d+\.new$/, '.new');
  return inside === '' ? '/' : inside;
}

function emptyGraph(): Graph {
  const folder = (names: [string, number][]): Inode => ({
    ...{ kind: 'folder', text: '', mode: 0o755, ...owner },
    names: new Map(names),
  });
  return new Map([
    [SUPERBLOCK, folder([['top', TOP_LEVEL]])],
    [TOP_LEVEL, folder([])],
  ]);
}

function keyOf(graph: Graph): string {
  const lines = [...walk(graph, TOP_LEVEL)].map(([path, { kind, mode, text }]) => [path, kind, mode, text]);
  return sha256OfText(JSON.stringify(lines));
}

/** From one look to the next: what is new, what has changed, what is gone. Each name is an op of its own but for a rename. */
function bring(disk: Disk, numbers: Map<number, number>, before: Look, after: Look): void {
  const gone = new Set([...before.keys()].filter((path) => !after.has(path)));
  const replaced = (path: string, seen: Seen): boolean => {
    const old = before.get(path);
    return old === undefined || old.inode !== seen.inode || old.kind !== seen.kind;
  };
  for (const [path, seen] of after) {
    if (replaced(path, seen)) {
      const former = renamedFrom(before, gone, seen);
      if (former !== undefined) gone.delete(former);
      const changes = [{ ...placeOf(disk, path), to: numberOf(disk, numbers, seen) }];
      const gaps = former === undefined ? [] : [{ ...placeOf(disk, former), to: undefined }];
      disk.apply({ kind: 'names', changes: [...changes, ...gaps] });
    }
    const number = inodeAt(disk, path);
    const { text, mode } = disk.inode(number);
    if (seen.kind === 'file' && text !== seen.text)
      disk.apply({ kind: 'data', inode: number, text: seen.text });
    if (seen.kind !== 'symlink' && mode !== seen.mode)
      disk.apply({ kind: 'attributes', inode: number, change: { mode: seen.mode } });
  }
  for (const path of [...gone].sort().reverse())
    disk.apply({ kind: 'names', changes: [{ ...placeOf(disk, path), to: undefined }] });
}

function renamedFrom(before: Look, gone: ReadonlySet<string>, { inode }: Seen): string | undefined {
  if (inode === undefined) return undefined;
  return [...gone].find((path) => before.get(path)?.inode === inode);
}

function numberOf(disk: Disk, numbers: Map<number, number>, { kind, text, mode, inode }: Seen): number {
  const known = inode === undefined ? undefined : numbers.get(inode);
  if (known !== undefined) return known;
  const number = disk.make({ kind, text: kind === 'symlink' ? text : '', mode, ...owner });
  if (inode !== undefined) numbers.set(inode, number);
  return number;
}

function inodeAt(disk: Disk, path: string): number {
  let number = TOP_LEVEL;
  for (const name of path.split('/').filter((each) => each !== '' && each !== '.')) {
    const next = disk.inode(number).names.get(name);
    if (next === undefined) throw new Error(`nothing at ${path}`);
    number = next;
  }
  return number;
}

function placeOf(disk: Disk, path: string): { folder: number; name: string } {
  return { folder: inodeAt(disk, dirname(path)), name: basename(path) };
}

function syncOf(disk: Disk, [, ...words]: readonly string[], root: string): void {
  const paths = words.filter((word) => !word.startsWith('-'));
  if (paths.length === 0 || words.includes('--file-system')) disk.syncAll();
  else for (const path of paths) disk.sync(inodeAt(disk, relative(root, path.replace('/./', '/'))));
}

/** The folder that was looked at, all of it durable. */
export function graphOf(look: Look): Graph {
  const disk = new Disk(emptyGraph());
  bring(disk, new Map(), new Map(), look);
  disk.syncAll();
  return disk.durable;
}

/** The state as a real folder at `root`, which is not there yet. `top`: the inode that becomes this folder. */
export function materialize(graph: Graph, root: string, top = TOP_LEVEL): void {
  const made = new Map<number, string>();
  const modes: [string, number][] = [];
  mkdirSync(root, { recursive: true });
  for (const [path, { kind, text, mode }, number] of walk(graph, top)) {
    const place = join(root, path);
    const other = made.get(number);
    if (kind === 'folder') mkdirSync(place);
    else if (other !== undefined) linkSync(other, place);
    else if (kind === 'symlink') symlinkSync(text, place);
    else writeFileSync(place, text);
    if (kind !== 'symlink') modes.unshift([place, mode]);
    if (kind !== 'folder') made.set(number, place);
  }
  for (const [place, mode] of modes) chmodSync(place, mode);
}
