/**
 * `offline-update rollback`: a kept fallback is made the root that boots next, from the running system.
 *
 * Errors: `NOTHING_TO_DO` when none is kept, `UNKNOWN_UPDATE` for an id that is none; `BUSY` while an update is armed,
 * under way or waits for its confirmation; `SNAPSHOT_UNAVAILABLE`, `SNAPSHOT_FAILED` of the provider.
 */
import type { KeptFallback, SnapshotProvider } from '../snapshots/snapshot-provider.js';
import { UpdateError } from '../update/errors.js';
import { readMark } from '../update/fallback-mark.js';
import { readTriggers } from '../update/trigger-link.js';
import { exclusively } from './exclusive.js';
import { keptFallbacks, type FallbackTruth } from './fallbacks.js';
import type { Online } from './online.js';
import { rollbackAhead } from './rollback-ahead.js';
import { refuseUnderWay } from './under-way.js';

export interface RolledBack {
  /** Id of the rollback; of the fallback that the present root has become, where the provider keeps it. */
  rollback: string;
  to: FallbackTruth;
  /** Whether one can go forward to the present root again. */
  keepsPresent: boolean;
}

/** The fallback of this id, or the newest one. */
export async function chooseFallback(
  online: Online,
  snapshots: SnapshotProvider,
  id?: string,
): Promise<{ kept: KeptFallback; truth: FallbackTruth }> {
  const all = await keptFallbacks({ store: online.store, snapshots });
  const [newest] = all;
  if (!newest) {
    const { usable, reason } = await snapshots.probe();
    const why = usable ? 'the next update leaves one' : reason;
    throw new UpdateError('NOTHING_TO_DO', `no fallback is kept: ${why}`, { hint: 'offline-update history' });
  }
  const chosen = id === undefined ? newest : all.find(({ truth }) => truth.id === id);
  if (chosen) return chosen;
  const ids = all.map(({ truth }) => truth.id).join(', ');
  throw new UpdateError('UNKNOWN_UPDATE', `there is no fallback ${String(id)}; kept: ${ids}`, {
    hint: 'offline-update history',
  });
}

/** Asked before and during: nothing of an update may be between the two roots. */
export async function refuseBusy(online: Online): Promise<void> {
  const { store, fs, paths } = online;
  const mark = await readMark(fs, paths.fallbackMark);
  if (await rollbackAhead(online))
    throw new UpdateError('BUSY', 'the next boot goes back already', {
      hint: 'systemctl reboot',
    });
  if (mark) {
    throw new UpdateError('BUSY', `what became of ${mark.id} is not written down yet`, {
      hint: 'systemctl start offline-update-recover.service',
    });
  }
  const update = await store.current();
  if (update) {
    await refuseUnderWay(online, update).catch((error: unknown) => {
      if (!(error instanceof UpdateError)) throw error;
      const { message, hint } = error;
      throw new UpdateError('BUSY', message, { cause: error, ...(hint !== undefined && { hint }) });
    });
  }
  const triggers = await readTriggers(fs, paths.triggers);
  if (triggers.some(({ claimed }) => claimed.kind === 'ours')) {
    throw new UpdateError('BUSY', 'the next boot goes on with what was begun', { hint: 'systemctl reboot' });
  }
  if (triggers.some(({ link }) => link.kind === 'ours') || update?.journal.state.name === 'armed') {
    throw new UpdateError('BUSY', `update ${update?.id ?? ''} is armed: the next boot installs it`, {
      hint: 'offline-update cancel',
    });
  }
}

export function rollBackTo(online: Online, snapshots: SnapshotProvider, id: string): Promise<RolledBack> {
  return exclusively(online, async () => {
    await refuseBusy(online);
    const { kept, truth } = await chooseFallback(online, snapshots, id);
    const rollback = await online.store.newId(online.moment.now());
    await snapshots.revert(kept, kept.id, rollback);
    const mark = await readMark(online.fs, online.paths.fallbackMark);
    return { rollback, to: truth, keepsPresent: mark?.id === rollback };
  });
}
