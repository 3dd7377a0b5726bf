/** In a root that was set aside and boots now: what the other root knows, and what becomes of it. */
import { join } from 'node:path';
import { exists } from '../../host/exists.js';
import { markText, type FallbackMark } from '../../update/fallback-mark.js';
import { parseJournal } from '../../update/journal.js';
import { pathsBelow, pathsOfUpdate } from '../../update/paths.js';
import { carryHistory } from '../evidence.js';
import { subvolumeId } from './btrfs-command.js';
import { updateOf } from './names.js';
import { moveSnapperFolder } from './snapper-folder.js';
import type { BtrfsPorts, RunningRoot } from './top-level.js';

/** Can be done again after a cut. Nothing is done when the other root is gone. */
export async function collectFrom(
  ports: BtrfsPorts,
  top: string,
  running: RunningRoot,
  mark: FallbackMark,
): Promise<void> {
  const { fs, files, paths, run } = ports;
  const path = join(top, mark.failedRoot);
  if (!(await exists(fs, path))) return;
  const rootId = await subvolumeId(run, path);
  // A root that a rollback left, or that had failed, boots again: it knows all that it has to.
  if (rootId === running.id || mark.role === 'kept' || mark.role === 'failed') return;
  const other = pathsBelow(path);
  await carryHistory({ fs, files }, other, paths);
  await moveSnapperFolder(ports, path, join(top, running.name));
  if (mark.role === 'rollback') return;
  // A whole system that was left without our doing is one to go back to; only what an update broke is a failed one.
  const isWhole = mark.role === 'drill' || (await isConfirmed(ports, mark.id));
  const ownName = updateOf(mark.failedRoot) !== undefined;
  if (!isWhole && ownName) return;
  const role = isWhole ? 'kept' : 'failed';
  const text = markText({ id: mark.id, provider: 'btrfs', failedRoot: running.name, role, rootId });
  await files.replace(other.fallbackMark, text, 0o644);
}

async function isConfirmed({ fs, paths }: BtrfsPorts, id: string): Promise<boolean> {
  const { journal } = pathsOfUpdate(paths, id);
  return (await exists(fs, journal)) && parseJournal(await fs.readFile(journal)).state.name === 'confirmed';
}
