/**
 * The current update as a verb that wants to replace it sees it.
 */
import { UpdateError } from '../update/errors.js';
import { firstLine } from '../update/first-line.js';
import type { KnownUpdate } from '../update/store.js';
import type { Online } from './online.js';
import { refuseHalfBack } from './rollback-ahead.js';
import { refuseUnderWay } from './under-way.js';
import { scheduledWords } from './when/notices.js';

/**
 * The update whose plan may be replaced now; undefined when there is none. A staged plan that cannot be read is none:
 * to prepare again is the way out of it. Errors: `ARMED`, `SCHEDULED`, `BLOCKED`, `JOURNAL_CORRUPT`; `BUSY` and `WRONG_STATE` when a
 * boot works on it or goes on with it, or with a copy that is half put back.
 */
export async function replaceableUpdate(online: Online): Promise<KnownUpdate | undefined> {
  // A plan of what is half of each fits neither, and the stage tells the next boot whose copy it was.
  await refuseHalfBack(online);
  const current = await online.store.current().catch((error: unknown) => {
    if (error instanceof UpdateError && unreadable.has(error.code)) return undefined;
    throw error;
  });
  if (!current) return undefined;
  await refuseUnderWay(online, current);
  const { id, journal } = current;
  const { state } = journal;
  if (state.name === 'blocked') {
    throw new UpdateError('BLOCKED', `update ${id} is blocked: ${firstLine(state.reason.message)}`, {
      hint: 'offline-update clean',
    });
  }
  if (state.name === 'armed') {
    throw new UpdateError('ARMED', `update ${id} is armed and will be installed in the next boot`, {
      hint: 'offline-update cancel',
    });
  }
  if (state.name === 'prepared') await refuseScheduled(online, id);
  return current;
}

/** Somebody has seen this plan and said when it is to be installed. */
async function refuseScheduled(online: Online, id: string): Promise<void> {
  const said = await scheduledWords(online, id);
  if (said !== undefined) throw new UpdateError('SCHEDULED', said, { hint: 'offline-update cancel' });
}

const unreadable = new Set(['PLAN_INVALID', 'FORMAT_TOO_NEW']);
