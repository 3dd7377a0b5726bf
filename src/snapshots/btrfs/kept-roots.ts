/**
 * The roots beside the running one that are ours: fallbacks, failed roots, and what a drill that was cut left, or an attempt
 * before its first change. Nothing else is ever listed or removed.
 */
import { join } from 'node:path';
import { freeShare } from '../../host/disk-space.js';
import { readMark, type FallbackMark } from '../../update/fallback-mark.js';
import { heldUpdates } from '../../update/held.js';
import { parseJournal } from '../../update/journal.js';
import { eventRows } from '../../update/journal-rows.js';
import { pathsBelow, pathsOfUpdate } from '../../update/paths.js';
import type { KeptFallback } from '../snapshot-provider.js';
import { ask, defaultSubvolume, deleteSubvolume, subvolumeId } from './btrfs-command.js';
import { namedToBoot } from './machine-layout.js';
import { updateOf } from './names.js';
import { referenceText } from './reference.js';
import type { BtrfsPorts, RunningRoot } from './top-level.js';

export interface OwnRoot {
  /** Of the update, rollback or drill. */
  id: string;
  /** At the top level. */
  name: string;
  subvolume: number;
  is: 'fallback' | 'failed' | 'residue';
}

/** The newest first; neither what runs nor what boots next, by default or by its name, is among them. */
export async function ownRoots(ports: BtrfsPorts, top: string, running: RunningRoot): Promise<OwnRoot[]> {
  const { fs, run } = ports;
  const boots = await defaultSubvolume(run, top);
  // After a rollback the fallback that was chosen has the name that boots, and is still marked as ours.
  const named = await namedToBoot(ports);
  const found: OwnRoot[] = [];
  for (const name of await fs.readFolder(top)) {
    const path = join(top, name);
    const mark = await readMark(ports.fs, pathsBelow(path).fallbackMark);
    const byName = updateOf(name);
    if (byName === undefined && mark?.rootId === undefined) continue;
    const subvolume = await subvolumeId(run, path);
    if (subvolume === running.id || subvolume === boots || named.includes(name)) continue;
    // Of another name it is ours only by its mark, and a snapshot that somebody made of it is not.
    if (byName === undefined && mark?.rootId !== subvolume) continue;
    found.push({ id: mark?.id ?? byName ?? '', name, subvolume, is: await roleOf(ports, mark) });
  }
  return found.sort((a, b) => (a.id < b.id ? 1 : -1));
}

async function roleOf(ports: BtrfsPorts, mark: FallbackMark | undefined): Promise<OwnRoot['is']> {
  if (!mark || mark.role === 'failed') return 'failed';
  if (mark.role === 'drill') return 'residue';
  return mark.role === 'fallback' && (await changedNothing(ports, mark.id)) ? 'residue' : 'fallback';
}

/** Of an attempt that was killed before its first change: a way back to the system that runs. */
async function changedNothing({ fs, paths }: BtrfsPorts, id: string): Promise<boolean> {
  try {
    const { rows } = parseJournal(await fs.readFile(pathsOfUpdate(paths, id).journal));
    return eventRows(rows, 'installing').length === 0;
  } catch {
    return false; // its history is gone, or cannot be read
  }
}

const covers =
  'all of the root subvolume, logs and data too; other subvolumes and file systems stay as they are';

export async function listKept(
  ports: BtrfsPorts,
  top: string,
  running: RunningRoot,
): Promise<KeptFallback[]> {
  const by = (await defaultSubvolume(ports.run, top)) === running.id ? 'default' : 'name';
  const own = (await ownRoots(ports, top, running)).filter((each) => each.is === 'fallback');
  return Promise.all(
    own.map(async ({ id, name, subvolume }) => ({
      provider: 'btrfs',
      id,
      covers,
      holds: await heldUpdates(ports.fs, pathsBelow(join(top, name))),
      reference: referenceText({
        by,
        root: running.name,
        rootId: running.id,
        other: name,
        otherId: subvolume,
      }),
    })),
  );
}

/** What `provider.prune` promises. The rest is removed also when one cannot be; then it throws the first error. */
export async function pruneRoots(
  ports: BtrfsPorts,
  top: string,
  running: RunningRoot,
  { keep, minimumFreePercent }: { keep: number; minimumFreePercent: number },
): Promise<void> {
  const errors: unknown[] = [];
  const remove = async ({ name }: OwnRoot): Promise<void> => {
    await deleteSubvolume(ports, top, name).catch((error: unknown) => errors.push(error));
  };
  const own = await ownRoots(ports, top, running);
  const fallbacks = own.filter(({ is }) => is === 'fallback');
  for (const root of own) if (root.is !== 'fallback') await remove(root);
  for (const root of fallbacks.slice(keep)) await remove(root);
  const kept = fallbacks.slice(0, keep);
  while (kept.length > 1 && (await isShort(ports, top, minimumFreePercent))) {
    const oldest = kept.pop();
    if (oldest) await remove(oldest);
  }
  if (errors.length > 0) throw errors[0];
}

async function isShort({ run }: BtrfsPorts, top: string, minimumFreePercent: number): Promise<boolean> {
  const isBelow = async (): Promise<boolean> => (await freeShare(top)) * 100 < minimumFreePercent;
  if (!(await isBelow())) return false;
  // What was removed a moment ago is given back by and by: what counts is how much is free after that.
  await ask(run, 'btrfs', 'subvolume', 'sync', top);
  return isBelow();
}
