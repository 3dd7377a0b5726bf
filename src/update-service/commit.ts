/**
 * From here on the updated system is the one that boots. The row comes before the switch: an updated root without it
 * never boots, and a cut between the two boots the fallback, where the row is known as what it is.
 */
import type { Attempt } from './attempt.js';
import { endSnapperPair } from './snapper-pair.js';
import { syncDisks } from './sync-disks.js';

export async function commit(attempt: Attempt): Promise<void> {
  const { ports, update, plan, number, fallback } = attempt;
  await endSnapperPair(attempt);
  const recorded = (async () => {
    const [leftovers] = await Promise.all([ports.payload.leftovers(plan.payload), syncDisks(ports)]);
    for (const leftover of leftovers) await update.journal.append({ note: 'conffile', ...leftover });
    await update.journal.append({ event: 'installed', attempt: number });
  })();
  // What the switch needs to know is looked up meanwhile; no row is written behind the back of one that fails.
  const switched = fallback && ports.snapshots.commit(fallback, recorded);
  await Promise.allSettled([recorded, switched]);
  await recorded;
  await switched;
}
