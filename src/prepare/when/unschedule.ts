/** Takes back what was set for later: the time, the timer, and the reboot, if that one is ours. */
import { readAskedShutdown, type AskedShutdown } from '../../update/scheduled.js';
import type { KnownUpdate } from '../../update/store.js';
import type { Online } from '../online.js';
import { forgetShutdown, isBusError, isOurs } from './leave-at.js';
import type { Scheduler } from './scheduler.js';

export interface Unscheduled {
  /** There was a time at which it was to be armed. */
  unscheduled: boolean;
  /** A reboot that had been announced was cancelled; unknown: logind does not answer, and our service tries it again. */
  rebootCancelled: boolean | 'unknown';
}

/** Under the lock, and after the trigger was taken away: a reboot that comes in between is an ordinary one. */
export async function unschedule(
  online: Online,
  scheduler: Scheduler,
  update: KnownUpdate | undefined,
  reason: string,
): Promise<Unscheduled> {
  const { fs, files, paths } = online;
  const unscheduled = await files.remove(paths.scheduled);
  if (unscheduled && update) await update.journal.append({ note: 'unscheduled', reason });
  // What cannot be read names no shutdown that would be known to be ours.
  const asked = await readAskedShutdown(fs, paths).catch(() => undefined);
  try {
    const rebootCancelled = asked !== undefined && (await takeBack(scheduler, asked));
    await forgetShutdown(online);
    if (unscheduled || asked) await scheduler.forgetWake();
    return { unscheduled, rebootCancelled };
  } catch (error) {
    // What was done is done. The file and the timer stay.
    if (!isBusError(error)) throw error;
    return { unscheduled, rebootCancelled: 'unknown' };
  }
}

/** Nobody waits any more for the reboot that was asked for. Errors: HostError `BUS_*` as long as it is to come. */
export async function dropShutdown(
  online: Online,
  scheduler: Scheduler,
  asked: AskedShutdown,
): Promise<void> {
  try {
    await takeBack(scheduler, asked);
  } catch (error) {
    if (!isBusError(error) || online.moment.now() < new Date(asked.at)) throw error;
  }
  await forgetShutdown(online);
}

/** Also one that the service took upon itself: logind may have it nevertheless, where its answer was lost. */
async function takeBack(scheduler: Scheduler, asked: AskedShutdown): Promise<boolean> {
  if (asked.type !== 'reboot') return false;
  return isOurs(await scheduler.shutdown(), asked) && (await scheduler.cancelShutdown());
}
