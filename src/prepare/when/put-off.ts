/** The time of an update has come and it is not to be installed now: when it is tried again, or that it is given up. */
import type { Reason } from '../../update/events.js';
import type { Finding } from '../../update/finding.js';
import { writeScheduled, type Scheduled } from '../../update/scheduled.js';
import type { KnownUpdate } from '../../update/store.js';
import type { TriggerOptions } from '../examine.js';
import type { Online } from '../online.js';
import type { Attended } from './attend.js';
import { nextLook, type Facts, type NextTime } from './decide.js';
import { isSettled } from './hindrances.js';
import { tellPutOff } from './notices.js';
import type { Scheduler } from './scheduler.js';

export interface Case {
  online: Online;
  scheduler: Scheduler;
  options: Pick<TriggerOptions, 'machine'>;
  scheduled: Scheduled;
  update: KnownUpdate;
}

export async function factsOf({ online, options, scheduled }: Omit<Case, 'update'>): Promise<Facts> {
  const { policy, facts } = options.machine;
  // Of a machine that was just switched on nobody may have logged in yet.
  const areOthers = (await facts.otherUsers()).length > 0 || !isSettled(await facts.secondsUp());
  const { windows, noticeSeconds } = policy;
  return { scheduled, now: online.moment.now(), windows, noticeSeconds, areOthers };
}

/** `next` undefined: it is given up, and said. */
export async function putOff(
  { online, scheduler, scheduled, update }: Case,
  reason: Reason,
  next: NextTime | undefined,
): Promise<Attended> {
  const { id } = update;
  if (!next) {
    await online.files.remove(online.paths.scheduled);
    await tellPutOff(scheduler, update, reason, null);
    return { outcome: 'given-up', id, reason };
  }
  const { look, at, until } = next;
  await writeScheduled(online.files, online.paths, { ...scheduled, at, until });
  const isSoon = look <= nextLook(online.moment.now());
  await tellPutOff(scheduler, update, reason, { at: look, isSoon });
  await scheduler.wakeAt(look);
  return { outcome: 'waiting', id, at: look, reason };
}

export function notNow(found: readonly Finding[]): Reason {
  return { code: 'NOT_NOW', message: found.map(({ evidence }) => evidence).join('; ') };
}
