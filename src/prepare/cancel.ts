/**
 * `offline-update cancel`: the next boot is an ordinary one; the plan and its download stay. A time that was set is
 * forgotten, and a reboot that was announced for it is cancelled, if it is still ours.
 *
 * Errors: `NOTHING_TO_DO` when nothing of ours is armed or has a time; `FOREIGN_TRIGGER` when only another tool's update is;
 * `BUSY`, `WRONG_STATE` when an attempt has begun, or a copy is half put back.
 */
import { exists } from '../host/exists.js';
import { copyAhead } from '../update/copy-ahead.js';
import { UpdateError } from '../update/errors.js';
import { readTriggers } from '../update/trigger-link.js';
import { disarm } from './disarm.js';
import { exclusively } from './exclusive.js';
import type { Online } from './online.js';
import { describeForeign } from './preflight/trigger-foreign.js';
import { refuseHalfBack } from './rollback-ahead.js';
import { refuseUnderWay } from './under-way.js';
import type { Scheduler } from './when/scheduler.js';
import { unschedule, type Unscheduled } from './when/unschedule.js';

export interface Cancelled extends Unscheduled {
  /** Null when there was a link of ours and no update. */
  id: string | null;
  removed: string[];
  /** A rollback to a copy, which the next boot would have put back, was taken back. */
  rollback: boolean;
}

export function cancelUpdate(online: Online, scheduler: Scheduler): Promise<Cancelled> {
  return exclusively(online, async () => {
    const update = await online.store.current();
    if (update) await refuseUnderWay(online, update);
    await refuseHalfBack(online);
    const triggers = await readTriggers(online.fs, online.paths.triggers);
    const ours = triggers.some(({ link, claimed }) => link.kind === 'ours' || claimed.kind === 'ours');
    const isSet = [online.paths.scheduled, online.paths.shutdown].map((path) => exists(online.fs, path));
    const isScheduled = (await Promise.all(isSet)).includes(true);
    if (!ours && !isScheduled && update?.journal.state.name !== 'armed') {
      for (const { path, link } of triggers) {
        const foreign = describeForeign(path, link);
        if (foreign === undefined) continue;
        throw new UpdateError('FOREIGN_TRIGGER', `${foreign}; it was left alone`, {
          hint: 'offline-update status',
        });
      }
      throw new UpdateError('NOTHING_TO_DO', 'no update is armed', { hint: 'offline-update status' });
    }
    const rollback = (await copyAhead(online)) !== undefined;
    const removed = await disarm(online, update, { event: 'cancelled', reason: 'cancelled by hand' });
    const unscheduled = await unschedule(online, scheduler, update, 'cancelled by hand');
    return { id: update?.id ?? null, removed, rollback, ...unscheduled };
  });
}
