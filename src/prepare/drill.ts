/**
 * `offline-update doctor --drill`: the way back, rehearsed on this machine with no change.
 *
 * Errors: `BUSY` while an update is armed, under way or waits for its confirmation, or another root boots next;
 * `SNAPSHOT_UNAVAILABLE` where there is no way back that could be rehearsed; `SNAPSHOT_FAILED`.
 */
import type { DrillStep, SnapshotProvider } from '../snapshots/snapshot-provider.js';
import { UpdateError } from '../update/errors.js';
import { exclusively } from './exclusive.js';
import type { Online } from './online.js';
import { refuseBusy } from './rollback.js';

export function rehearseReturn(online: Online, snapshots: SnapshotProvider): Promise<DrillStep[]> {
  return exclusively(online, async () => {
    await refuseBusy(online);
    const { usable, reason } = await snapshots.probe();
    if (!usable || !snapshots.drill) {
      const why = usable ? `a fallback by ${snapshots.name} cannot be rehearsed` : reason;
      throw new UpdateError('SNAPSHOT_UNAVAILABLE', `there is nothing to rehearse: ${why}`, {
        hint: 'offline-update doctor',
      });
    }
    return snapshots.drill(await online.store.newId(online.moment.now()));
  });
}
