/**
 * The package manager syncs each of its steps, which is most of its time. While a fallback boots next, an interrupted
 * install is thrown away as a whole and none of that is needed: the phase `commit` syncs every file system, and only then
 * `installed` is written and the updated root boots. Without a fallback each sync is what `heal` builds upon: kept.
 */
import type { Fallback } from '../snapshots/snapshot-provider.js';
import type { Syncs } from '../update/events.js';
import type { Attempt } from './attempt.js';

/** Where they could have been suppressed and are not, the reason is recorded. */
export async function chooseSyncs({ ports, plan, fallback, update }: Attempt): Promise<Syncs> {
  if (!fallback || plan.policy.packageSyncs === 'keep') return 'kept';
  const reason = await whySyncsStay(ports, plan.payload, fallback);
  if (reason === undefined) return 'suppressed';
  await update.journal.append({ note: 'finding', check: 'syncs', message: `every sync is made: ${reason}` });
  return 'kept';
}

async function whySyncsStay(
  ports: Attempt['ports'],
  payload: Attempt['plan']['payload'],
  { inPlace }: Fallback,
): Promise<string | undefined> {
  // A name of a package file without its content, and the boot that should take it all back does not come that far.
  if (inPlace !== undefined) return `${inPlace} is changed in its place, and boots after a cut`;
  if (ports.payload.writesBootLoader(payload)) {
    return 'a boot loader is updated, which the fallback does not hold';
  }
  return ports.whySyncsStay();
}
