/**
 * Takes our trigger away: the link first, then what goes with it. If the power goes in between, the next boot is an
 * ordinary one, which is what was asked for. Only links that are ours are removed, of both paths, also claimed ones.
 */
import { CLAIMED_SUFFIX } from '../update/paths.js';
import type { KnownUpdate } from '../update/store.js';
import { readTriggers } from '../update/trigger-link.js';
import type { Online } from './online.js';

/** The links that were removed. */
export async function disarm(
  { fs, files, paths, store }: Online,
  update: KnownUpdate | undefined,
  reason: string,
): Promise<string[]> {
  const removed: string[] = [];
  for (const { path, link, claimed } of await readTriggers(fs, paths.triggers)) {
    if (link.kind === 'ours' && (await files.remove(path))) removed.push(path);
    const claimedPath = path + CLAIMED_SUFFIX;
    if (claimed.kind === 'ours' && (await files.remove(claimedPath))) removed.push(claimedPath);
  }
  if (update?.journal.state.name === 'armed') await update.journal.append({ event: 'cancelled', reason });
  await store.unmarkOpen();
  await files.remove(paths.action);
  await files.remove(paths.claims);
  await files.remove(paths.rescued);
  return removed;
}
