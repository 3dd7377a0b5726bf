/**
 * Takes our trigger away: the link first, then what goes with it. If the power goes in between, the next boot is an
 * ordinary one, which is what was asked for. Only links that are ours are removed, of both paths, also claimed ones.
 */
import { areBootFilesArmed } from '../snapshots/boot-files-armed.js';
import type { UpdateEvent } from '../update/events.js';
import { CLAIMED_SUFFIX } from '../update/paths.js';
import { transitions } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import { readTriggers } from '../update/trigger-link.js';
import type { Online } from './online.js';

type Ending = Extract<UpdateEvent, { event: 'cancelled' | 'stale' }>;

/** `ending`: recorded where the update is in a state that it can end. The links that were removed. */
export async function disarm(
  { fs, files, paths, store }: Online,
  update: KnownUpdate | undefined,
  ending: Ending,
): Promise<string[]> {
  const removed: string[] = [];
  for (const { path, link, claimed } of await readTriggers(fs, paths.triggers)) {
    if (link.kind === 'ours' && (await files.remove(path))) removed.push(path);
    const claimedPath = path + CLAIMED_SUFFIX;
    if (claimed.kind === 'ours' && (await files.remove(claimedPath))) removed.push(claimedPath);
  }
  // Of a rollback to a copy, which by itself means nothing: no attempt is under way. Not that of /boot: it is this root's own.
  if (!(await areBootFilesArmed(fs, paths)) && (await files.remove(paths.copyArmed)))
    removed.push(paths.copyArmed);
  if (update && transitions[ending.event].from.includes(update.journal.state.name))
    await update.journal.append(ending);
  await store.unmarkOpen();
  await files.remove(paths.action);
  await files.remove(paths.claims);
  await files.remove(paths.rescued);
  return removed;
}
