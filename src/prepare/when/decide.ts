/** What the clock says of an update that has a time. Pure. */
import type { Scheduled } from '../../update/scheduled.js';
import { openingAfter, openingAt, type Window } from '../../update/windows.js';

export interface Facts {
  scheduled: Pick<Scheduled, 'at' | 'until' | 'whenIdle' | 'awaySeconds'>;
  now: Date;
  windows: readonly Window[];
  noticeSeconds: number;
  /** Somebody is logged in, who is to be warned. */
  areOthers: boolean;
}

/** `reboot`: when, if it is armed now. `late`: it must not begin any more. */
export type Decision = { do: 'wait'; at: Date } | { do: 'arm'; reboot: Date } | { do: 'late' };

export function decide(facts: Facts): Decision {
  const { scheduled, now, noticeSeconds, areOthers } = facts;
  const at = Date.parse(scheduled.at);
  // With --when-idle nobody is there to be warned, and whether the machine is idle is not known before.
  const wake = at - (scheduled.whenIdle ? 0 : noticeSeconds * 1000);
  if (now.getTime() < wake) return { do: 'wait', at: new Date(wake) };
  const reboot = new Date(Math.max(at, now.getTime() + (areOthers ? noticeSeconds * 1000 : 0)));
  return isTooLate(facts, reboot) ? { do: 'late' } : { do: 'arm', reboot };
}

/** Between two looks at what stands in the way and may pass. */
export const RETRY_SECONDS = 120;

export interface NextTime {
  /** When to look again. */
  look: Date;
  at: string;
  until: string | null;
}

/** After something stood in the way: soon, else in the next window; undefined when its time is over. */
export function nextTime(facts: Facts): NextTime | undefined {
  const { scheduled, now } = facts;
  const look = new Date(now.getTime() + RETRY_SECONDS * 1000);
  return isTooLate(facts, look) ? nextWindow(facts) : { look, at: scheduled.at, until: scheduled.until };
}

/** Undefined without windows: the time was the only one. */
export function nextWindow({ windows, now, scheduled, noticeSeconds }: Facts): NextTime | undefined {
  const next = openingAfter(windows, now);
  if (!next) return undefined;
  const early = scheduled.whenIdle ? 0 : noticeSeconds * 1000;
  const look = new Date(Math.max(now.getTime(), next.from.getTime() - early));
  return { look, at: next.from.toISOString(), until: next.to.toISOString() };
}

function isTooLate({ scheduled: { at, until, awaySeconds }, windows }: Facts, reboot: Date): boolean {
  if (until !== null && reboot >= new Date(until)) return true;
  if (windows.length === 0) return false;
  // The policy may have changed since the time was set: both count.
  if (!openingAt(windows, reboot)) return true;
  if (until === null || awaySeconds === null) return false;
  // What had room when the window opened is not begun at its end; what has room in none is.
  const end = Date.parse(until) - awaySeconds * 1000;
  return Date.parse(at) <= end && reboot.getTime() > end;
}
