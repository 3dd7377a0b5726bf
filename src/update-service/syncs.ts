/**
 * The package manager syncs each of its steps, which is most of its time. While a fallback boots next, an interrupted
 * install is thrown away as a whole and none of that is needed: the phase `commit` syncs every file system, and only then
 * `installed` is written and the updated root boots. Without a fallback each sync is what `heal` builds upon: kept.
 */
import type { Syncs } from '../update/events.js';
import type { Attempt } from './attempt.js';

/** Where they could have been suppressed and are not, the reason is recorded. */
export async function chooseSyncs({ ports, plan, fallback, update }: Attempt): Promise<Syncs> {
  if (!fallback || plan.policy.packageSyncs === 'keep') return 'kept';
  const reason = ports.payload.writesBootLoader(plan.payload)
    ? 'a boot loader is updated, which the fallback does not hold'
    : await ports.whySyncsStay();
  if (reason === undefined) return 'suppressed';
  await update.journal.append({ note: 'finding', check: 'syncs', message: `every sync is made: ${reason}` });
  return 'kept';
}
