/**
 * The clock on the wall of a time zone, and the instant at which it shows something. Zones are names of the IANA
 * database (`Europe/Bratislava`), known to Node itself; `local` is the one of this machine.
 *
 * A time that a day does not have, since the clock is set forward over it, is the instant at which it is set forward; a
 * time that a day has twice is the first of both.
 */
export interface ClockTime {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
}

export const LOCAL_ZONE = 'local';

export function isZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

export function clockAt(zone: string, at: Date): ClockTime {
  const shown = new Date(at.getTime() + offsetAt(zone, at.getTime()));
  return {
    year: shown.getUTCFullYear(),
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
  };
}

/** Days and hours beyond their month and day count on: the 32nd is the first of the next month. */
export function instantOf(zone: string, { year, month, day, hour, minute }: ClockTime): Date {
  const wanted = Date.UTC(year, month - 1, day, hour, minute);
  const shows = (instant: number): number => instant + offsetAt(zone, instant);
  const candidates = [wanted - DAY, wanted + DAY].map((near) => wanted - offsetAt(zone, near));
  const found = candidates.filter((instant) => shows(instant) === wanted);
  if (found.length > 0) return new Date(Math.min(...found));
  // In a gap: the instant at which the clock jumps over it, by halving.
  let [before, after] = [wanted - DAY, wanted + DAY];
  while (after - before > MINUTE) {
    const middle = Math.floor((before + after) / 2 / MINUTE) * MINUTE;
    if (shows(middle) < wanted) before = middle;
    else after = middle;
  }
  return new Date(after);
}

/** `Sun 2026-11-22 03:00 CET`. */
export function zonedText(at: Date, zone = LOCAL_ZONE): string {
  const { year, month, day, hour, minute } = clockAt(zone, at);
  const two = (number: number): string => String(number).padStart(2, '0');
  const names = new Intl.DateTimeFormat('en-GB', {
    ...zoneOption(zone),
    weekday: 'short',
    timeZoneName: 'short',
  }).formatToParts(at);
  const name = (type: string): string => names.find((part) => part.type === type)?.value ?? '';
  const date = `${year}-${two(month)}-${two(day)}`;
  return `${name('weekday')} ${date} ${two(hour)}:${two(minute)} ${name('timeZoneName')}`;
}

const MINUTE = 60_000;
export const DAY = 24 * 3600_000;

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    ...zoneOption(zone),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(zone, made);
  return made;
}

function zoneOption(zone: string): { timeZone?: string } {
  return zone === LOCAL_ZONE ? {} : { timeZone: zone };
}

/** What the clock shows more than UTC, in milliseconds. */
function offsetAt(zone: string, instant: number): number {
  const parts = formatterOf(zone).formatToParts(instant);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (
    ['year', 'month', 'day', 'hour', 'minute', 'second'] as const
  ).map((type) => Number(parts.find((part) => part.type === type)?.value));
  const shown = Date.UTC(year, month - 1, day, hour, minute, second);
  return shown - Math.floor(instant / 1000) * 1000;
}
