/**
 * `offline-update clean`: back to the beginning. Disarms, drops the stage and what was downloaded for the next one,
 * and thereby unblocks. The history of what happened stays.
 *
 * Works also when the journal or the plan of the current update cannot be read any more: it is the way out of that.
 * Errors: `BUSY`, `WRONG_STATE` when an attempt has begun and has no verdict, or a copy is half put back.
 */
import { UpdateError } from '../update/errors.js';
import type { KnownUpdate } from '../update/store.js';
import { disarm } from './disarm.js';
import { exclusively } from './exclusive.js';
import { forgetUnarmed } from './forget-unarmed.js';
import type { Online } from './online.js';
import { refuseHalfBack } from './rollback-ahead.js';
import { refuseUnderWay } from './under-way.js';
import type { Scheduler } from './when/scheduler.js';
import { unschedule, type Unscheduled } from './when/unschedule.js';

export interface Cleaned extends Unscheduled {
  id: string | null;
  /** Trigger links of ours that were removed. */
  removed: string[];
  unblocked: boolean;
}

export function cleanUpdate(online: Online, scheduler: Scheduler): Promise<Cleaned> {
  return exclusively(online, async () => {
    const { files, paths, store } = online;
    const update = await readableUpdate(online);
    if (update) await refuseUnderWay(online, update);
    await refuseHalfBack(online);
    const removed = await disarm(online, update, { event: 'cancelled', reason: 'cleaned by hand' });
    const unscheduled = await unschedule(online, scheduler, update, 'cleaned by hand');
    for (const folder of [paths.stage, paths.nextStage, paths.formerStage, paths.rehearsalFolder]) {
      await files.removeTree(folder);
    }
    await files.remove(paths.motd);
    await forgetUnarmed(store);
    return {
      id: update?.id ?? null,
      removed,
      unblocked: update?.journal.state.name === 'blocked',
      ...unscheduled,
    };
  });
}

const wrecked = new Set(['JOURNAL_CORRUPT', 'PLAN_INVALID', 'FORMAT_TOO_NEW']);

async function readableUpdate({ store }: Online): Promise<KnownUpdate | undefined> {
  try {
    return await store.current();
  } catch (error) {
    if (error instanceof UpdateError && wrecked.has(error.code)) return undefined;
    throw error;
  }
}
