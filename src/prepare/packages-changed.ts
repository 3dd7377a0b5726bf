/**
 * Somebody has installed or removed packages beside a prepared update: where it no longer fits it is marked stale, and
 * is no longer armed. To leave it armed would cost a boot that can only refuse it.
 *
 * units/packages-changed, which apt calls, has looked before and has taken the trigger of an armed update away by
 * itself; here follows what needs the journal. Idempotent. Errors: `BUSY` when another verb works for `waitSeconds`.
 */
import { disarmedByDrift, PACKAGES_CHANGED } from '../update/drift.js';
import type { Reason } from '../update/events.js';
import type { PayloadPlan } from '../update/plan.js';
import { readTriggers } from '../update/trigger-link.js';
import { disarm } from './disarm.js';
import { exclusively } from './exclusive.js';
import type { Online } from './online.js';
import { refuseUnderWay } from './under-way.js';
import type { Scheduler } from './when/scheduler.js';
import { unschedule } from './when/unschedule.js';

export interface Changed {
  id: string;
  reason: Reason;
}

/**
 * Undefined: nothing is prepared, it still fits, or an
 * attempt is under way, which is not for us to judge.
 */
export function packagesChanged(
  online: Online,
  scheduler: Scheduler,
  hasDrifted: (plan: PayloadPlan) => Promise<boolean>,
  waitSeconds: number,
): Promise<Changed | undefined> {
  const look = async (): Promise<Changed | undefined> => {
    const update = await online.store.current();
    const state = update?.journal.state.name;
    if (!update || (state !== 'prepared' && state !== 'armed')) return undefined;
    const triggers = await readTriggers(online.fs, online.paths.triggers);
    if (triggers.some(({ claimed }) => claimed.kind === 'ours')) return undefined;
    await refuseUnderWay(online, update);
    const isDisarmed = state === 'armed' && !triggers.some(({ link }) => link.kind === 'ours');
    // Who took the trigger away has compared, too; that packages were changed back in the meantime arms nothing.
    if (!isDisarmed) {
      const { payload } = await online.store.readPlan(update);
      if (!(await hasDrifted(payload))) return undefined;
    }
    const reason: Reason = state === 'armed' ? disarmedByDrift : { code: 'DRIFT', message: PACKAGES_CHANGED };
    await disarm(online, update, { event: 'stale', reason });
    // Its time and its reboot are of no use to anybody any more.
    await unschedule(online, scheduler, update, reason.message);
    return { id: update.id, reason };
  };
  return exclusively(online, look, waitSeconds);
}
