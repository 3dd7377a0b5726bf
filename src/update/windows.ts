/**
 * Maintenance windows: on which days, from when to when an update may take the machine away (policy key `windows`).
 *
 * A window that ends at or before the hour at which it begins ends on the next day; its days are those on which it
 * begins. Hours are those of the clock in the window's zone, so a window is an hour shorter or longer in the night in
 * which the clock is set; one that lies wholly in the hour that is left out does not open. Windows that touch are one.
 */
import * as z from 'zod/mini';
import { clockAt, DAY, instantOf, isZone, LOCAL_ZONE } from './zoned-time.js';

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const hours = (pattern: RegExp, what: string) => z.string().check(z.regex(pattern, what));

export const windowSchema = z.strictObject({
  days: z._default(z.array(z.enum(weekdays)).check(z.minLength(1)), [...weekdays]),
  from: hours(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'not a time of day such as "02:00"'),
  to: hours(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'not a time of day such as "04:30"'),
  timezone: z._default(
    z.string().check(z.refine(isZone, 'not a time zone such as "Europe/Prague", "UTC" or "local"')),
    LOCAL_ZONE,
  ),
});

export type Window = z.infer<typeof windowSchema>;

/** Begins with `from`; at `to` it is over. */
export interface Opening {
  from: Date;
  to: Date;
}

/** The one that is open; undefined when all are closed. */
export function openingAt(windows: readonly Window[], at: Date): Opening | undefined {
  return openings(windows, at).find(({ from, to }) => from <= at && at < to);
}

/** The next one that opens after this time; undefined when there are no windows, or when one is open all the while. */
export function openingAfter(windows: readonly Window[], at: Date): Opening | undefined {
  return openings(windows, at).find(({ from }) => from > at);
}

/**
 * How far it is looked: backwards as well, since a row of touching windows may have begun many days ago; fifteen days
 * ahead, since one opening of a weekly window may be left out by the clock. What goes on beyond is cut there, in every
 * zone at the same instant.
 */
const LOOK = { back: 8, ahead: 15 };

/** Within those days, in order; none of them touches another. */
function openings(windows: readonly Window[], around: Date): Opening[] {
  const all = windows
    .flatMap((window) => days.flatMap((day) => openingOn(window, around, day) ?? []))
    .sort((a, b) => a.from.getTime() - b.from.getTime());
  const merged: Opening[] = [];
  for (const next of all) {
    const last = merged.at(-1);
    if (last && next.from <= last.to) last.to = new Date(Math.max(last.to.getTime(), next.to.getTime()));
    else merged.push({ ...next });
  }
  const [first, end] = [around.getTime() - LOOK.back * DAY, around.getTime() + LOOK.ahead * DAY];
  return merged
    .map(({ from, to }) => ({
      from: new Date(Math.max(from.getTime(), first)),
      to: new Date(Math.min(to.getTime(), end)),
    }))
    .filter(({ from, to }) => from < to);
}

/** Two more on either side: a window lasts into the next day, and the day of a zone is not that of another. */
const days = Array.from({ length: LOOK.back + LOOK.ahead + 5 }, (_, index) => index - LOOK.back - 2);

function openingOn(window: Window, around: Date, daysOn: number): Opening | undefined {
  const { timezone } = window;
  const today = clockAt(timezone, around);
  const day = today.day + daysOn;
  const weekday = weekdays[new Date(Date.UTC(today.year, today.month - 1, day)).getUTCDay()];
  if (!weekday || !window.days.includes(weekday)) return undefined;
  const clock = (text: string, later = 0) => {
    const [hour = 0, minute = 0] = text.split(':').map(Number);
    return instantOf(timezone, { ...today, day: day + later, hour, minute });
  };
  const opening = { from: clock(window.from), to: clock(window.to, window.to <= window.from ? 1 : 0) };
  return opening.from < opening.to ? opening : undefined;
}
