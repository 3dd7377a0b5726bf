/**
 * `offline-update cancel`: the next boot is an ordinary one; the plan and its download stay.
 *
 * Errors: `NOTHING_TO_DO` when nothing of ours is armed; `FOREIGN_TRIGGER` when only another tool's update is;
 * `BUSY`, `WRONG_STATE` when an attempt has begun.
 */
import { UpdateError } from '../update/errors.js';
import { readTriggers } from '../update/trigger-link.js';
import { disarm } from './disarm.js';
import { exclusively } from './exclusive.js';
import type { Online } from './online.js';
import { describeForeign } from './preflight/trigger-foreign.js';
import { refuseUnderWay } from './under-way.js';

export interface Cancelled {
  /** Null when there was a link of ours and no update. */
  id: string | null;
  removed: string[];
}

export function cancelUpdate(online: Online): Promise<Cancelled> {
  return exclusively(online, async () => {
    const update = await online.store.current();
    if (update) await refuseUnderWay(online, update);
    const triggers = await readTriggers(online.fs, online.paths.triggers);
    const ours = triggers.some(({ link, claimed }) => link.kind === 'ours' || claimed.kind === 'ours');
    if (!ours && update?.journal.state.name !== 'armed') {
      for (const { path, link } of triggers) {
        const foreign = describeForeign(path, link);
        if (foreign === undefined) continue;
        throw new UpdateError('FOREIGN_TRIGGER', `${foreign}; it was left alone`, {
          hint: 'offline-update status',
        });
      }
      throw new UpdateError('NOTHING_TO_DO', 'no update is armed', { hint: 'offline-update status' });
    }
    const removed = await disarm(online, update, { event: 'cancelled', reason: 'cancelled by hand' });
    return { id: update?.id ?? null, removed };
  });
}
