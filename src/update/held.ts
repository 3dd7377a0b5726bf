/**
 * Which updates a root holds. A verdict never changes, but a rollback takes a confirmed update out of the root that
 * boots, and another one brings it back: the notes `rolled-back` and `rolled-forward` of its journal tell.
 */
import type { FileSystem } from '../host/file-system.js';
import { namesIn } from '../host/if-there.js';
import { parseJournal, type JournalRow } from './journal.js';
import { noteRows } from './journal-rows.js';
import { pathsOfUpdate, type Paths } from './paths.js';
import type { UpdateState } from './state.js';
import { UPDATE_ID } from './update-id.js';

/** The rollback that took the update out of this root; undefined when none did, or a later one brought it back. */
export function rolledBackBy(rows: readonly JournalRow[]): { rollback: string; at: string } | undefined {
  const last = noteRows(rows, 'rolled-back', 'rolled-forward').at(-1);
  return last?.entry.note === 'rolled-back' ? { rollback: last.entry.rollback, at: last.at } : undefined;
}

export function isHeld({ rows, state }: { rows: readonly JournalRow[]; state: UpdateState }): boolean {
  return (state.name === 'installed' || state.name === 'confirmed') && rolledBackBy(rows) === undefined;
}

/** Ids of the updates that the root of these paths holds, by its own record; the oldest first. */
export async function heldUpdates(fs: FileSystem, paths: Paths): Promise<string[]> {
  const held: string[] = [];
  for (const id of await updateIds(fs, paths)) {
    try {
      if (isHeld(parseJournal(await fs.readFile(pathsOfUpdate(paths, id).journal)))) held.push(id);
    } catch {
      // A journal that cannot be read proves nothing.
    }
  }
  return held;
}

/** Names in the history that are ids, the oldest first. */
export async function updateIds(fs: FileSystem, { updates }: Paths): Promise<string[]> {
  return (await namesIn(fs, updates)).filter((name) => UPDATE_ID.test(name));
}
