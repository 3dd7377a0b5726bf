/** Takes back what was set for later: the time, the timer, and the reboot, if that one is ours. */
import { readAskedShutdown } from '../../update/scheduled.js';
import type { KnownUpdate } from '../../update/store.js';
import type { Online } from '../online.js';
import { forgetShutdown, isOurs } from './leave-at.js';
import type { Scheduler } from './scheduler.js';

export interface Unscheduled {
  /** There was a time at which it was to be armed. */
  unscheduled: boolean;
  /** A reboot that had been announced was cancelled. */
  rebootCancelled: boolean;
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
  const isTheOne = asked?.by === 'logind' && isOurs(await scheduler.shutdown(), asked);
  const rebootCancelled = isTheOne && (await scheduler.cancelShutdown());
  await forgetShutdown(online);
  if (unscheduled || asked) await scheduler.forgetWake();
  return { unscheduled, rebootCancelled };
}
