/** What the clock says of an update that has a time. Pure. */
import type { Scheduled } from '../../update/scheduled.js';
import { openingAfter, openingAt, type Opening, type Window } from '../../update/windows.js';

export interface Facts {
  scheduled: Pick<Scheduled, 'at' | 'until' | 'whenIdle' | 'awaySeconds'>;
  now: Date;
  windows: readonly Window[];
  noticeSeconds: number;
  /** Somebody is logged in, or may be about to, who is to be warned. */
  areOthers: boolean;
}

/** `reboot`: when, if it is armed now. `late`: it must not begin any more. */
export type Decision = { do: 'wait'; at: Date } | { do: 'arm'; reboot: Date } | { do: 'late' };

export function decide(facts: Facts): Decision {
  const { scheduled, now, noticeSeconds } = facts;
  const at = Date.parse(scheduled.at);
  // With --when-idle nobody is there to be warned, and whether the machine is idle is not known before.
  const wake = at - (scheduled.whenIdle ? 0 : noticeSeconds * 1000);
  if (now.getTime() < wake) return { do: 'wait', at: new Date(wake) };
  const reboot = soonestReboot(facts, now);
  return isTooLate(facts, reboot) ? { do: 'late' } : { do: 'arm', reboot };
}

/** If it is armed `then`: not before its time, and not without the notice. */
function soonestReboot({ scheduled, noticeSeconds, areOthers }: Facts, then: Date): Date {
  return new Date(
    Math.max(Date.parse(scheduled.at), then.getTime() + (areOthers ? noticeSeconds * 1000 : 0)),
  );
}

/** Between two looks at what stands in the way and may pass. */
const RETRY_SECONDS = 120;

export function nextLook(now: Date): Date {
  return new Date(now.getTime() + RETRY_SECONDS * 1000);
}

export interface NextTime {
  /** When to look again. */
  look: Date;
  at: string;
  until: string | null;
}

/** After something stood in the way: soon, else in the next window; undefined when its time is over. */
export function nextTime(facts: Facts): NextTime | undefined {
  const { at, until } = facts.scheduled;
  const look = nextLook(facts.now);
  // The reboot is what must have its time; a look may well be before it, while the window is closed still.
  return isTooLate(facts, soonestReboot(facts, look)) ? nextWindow(facts) : { look, at, until };
}

/** The next, or the one that is open by now; undefined without windows: the time was the only one. */
export function nextWindow(facts: Facts): NextTime | undefined {
  const { windows, now, scheduled, noticeSeconds } = facts;
  const next = openedSince(facts) ?? openingAfter(windows, now);
  if (!next) return undefined;
  const early = scheduled.whenIdle ? 0 : noticeSeconds * 1000;
  // Not at once, also where the window opens within the minute: a service that starts in a loop is stopped by systemd.
  const look = new Date(Math.max(nextLook(now).getTime(), next.from.getTime() - early));
  return { look, at: next.from.toISOString(), until: next.to.toISOString() };
}

/**
 * Open, with room for the update, and longer than the time that was missed: the machine was off until now, or a window has no
 * end in sight.
 */
function openedSince(facts: Facts): Opening | undefined {
  const { windows, now, scheduled } = facts;
  const open = openingAt(windows, now);
  if (!open || scheduled.until === null || open.to <= new Date(scheduled.until)) return undefined;
  const left = open.to.getTime() - soonestReboot(facts, nextLook(now)).getTime();
  return left >= (scheduled.awaySeconds ?? 0) * 1000 ? { from: now, to: open.to } : undefined;
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
