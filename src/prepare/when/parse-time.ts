/**
 * The time of `trigger --at`:
 *
 *   03:00                       the next time the clock here shows it
 *   today 22:00, tomorrow 03:00
 *   2026-11-22 03:00            also with T, seconds, and a zone: Z, +01:00, UTC, Europe/Prague
 *   +30min, +1h 30min, +2days   from now
 *   Sat 03:00, *-*-01 04:00     the next time of a calendar expression (systemd.time(7))
 *
 * Errors: `USAGE` for what is none of these, for what has passed, and for what is more than a year away.
 */
import { UpdateError } from '../../update/errors.js';
import { clockAt, instantOf, isZone, LOCAL_ZONE, zonedText } from '../../update/zoned-time.js';

export interface TimeReader {
  now: Date;
  /** `local`, but for tests. */
  zone?: string;
  /** The next time of a calendar expression; undefined when it is none. */
  calendar: (expression: string) => Promise<Date | undefined>;
}

export async function parseTime(
  text: string,
  { now, zone = LOCAL_ZONE, calendar }: TimeReader,
): Promise<Date> {
  const words = text.trim().replaceAll(/\s+/g, ' ');
  const found =
    fromNow(words, now) ?? clock(words, now, zone) ?? date(words, zone) ?? (await calendar(words));
  if (!found || Number.isNaN(found.getTime())) {
    throw new UpdateError('USAGE', `"${text}" is not a time, or never comes`, { hint: EXAMPLE });
  }
  if (found < now)
    throw new UpdateError('USAGE', `"${text}" has passed: it was ${zonedText(found, zone)}`, {
      hint: EXAMPLE,
    });
  if (found.getTime() - now.getTime() > A_YEAR)
    throw new UpdateError('USAGE', `"${text}" is more than a year away`, { hint: EXAMPLE });
  return found;
}

/** Longer, no plan fits; nor can a date of five digits be told to systemd. */
const A_YEAR = 366 * 24 * 3600 * 1000;

const EXAMPLE = 'offline-update trigger --at "tomorrow 03:00"   (or 03:00, +30min, "2026-11-22 03:00")';

const seconds: Record<string, number> = { s: 1, sec: 1, second: 1, m: 60, min: 60, minute: 60 };
for (const hour of ['h', 'hr', 'hour']) seconds[hour] = 3600;
for (const day of ['d', 'day']) seconds[day] = 24 * 3600;
for (const week of ['w', 'week']) seconds[week] = 7 * 24 * 3600;

function fromNow(words: string, now: Date): Date | undefined {
  if (!/^\+(?: ?\d+ ?[a-z]+)+$/.test(words)) return undefined;
  let sum = 0;
  // Of a plural only words have an s: "5ms" is no five minutes.
  for (const [, number, unit = ''] of words.matchAll(/(\d+) ?([a-z]+)/g)) {
    const of = seconds[unit] ?? seconds[unit.replace(/(?<=..)s$/, '')];
    if (of === undefined) return undefined;
    sum += Number(number) * of;
  }
  return new Date(now.getTime() + sum * 1000);
}

function clock(words: string, now: Date, zone: string): Date | undefined {
  const found = /^(?:(today|tomorrow) )?(\d{1,2}):(\d\d)$/.exec(words);
  if (!found) return undefined;
  const [hour, minute] = [Number(found[2]), Number(found[3])];
  if (hour > 23 || minute > 59) return undefined;
  const today = clockAt(zone, now);
  const on = (later: number): Date => instantOf(zone, { ...today, day: today.day + later, hour, minute });
  if (found[1] === 'tomorrow') return on(1);
  return found[1] === 'today' || on(0) >= now ? on(0) : on(1);
}

function date(words: string, zone: string): Date | undefined {
  const found =
    /^(\d{4})-(\d\d)-(\d\d)[ T](\d{1,2}):(\d\d)(?::(\d\d)(?:\.\d+)?)? ?(Z|[+-]\d\d:\d\d|[A-Za-z_]+(?:\/[\w+-]+)*)?$/.exec(
      words,
    );
  if (!found) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((each: string | undefined) => Number(each ?? 0));
  const isMonth = month >= 1 && month <= 12;
  const isReal = isMonth && new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
  if (!isReal || hour > 23 || minute > 59 || second > 59) return undefined;
  const at = { year, month, day, hour, minute };
  const named = found[7] ?? zone;
  const offset = /^([+-])(\d\d):(\d\d)$/.exec(named);
  if (offset) {
    const minutes = (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === '-' ? -1 : 1);
    return new Date(Date.UTC(year, month - 1, day, hour, minute - minutes, second));
  }
  const where = named === 'Z' ? 'UTC' : named;
  return isZone(where) ? new Date(instantOf(where, at).getTime() + second * 1000) : undefined;
}
