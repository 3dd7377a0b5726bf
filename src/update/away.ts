/**
 * How long an update takes the machine away: down (shutdown and start of the update boot), installing (the update
 * boot's own work), up (its end and the next boot). Foretold by `trigger`, measured by the confirmation.
 */
import type { JournalRow } from './journal.js';
import { eventRows, noteRows } from './journal-rows.js';

export interface Away {
  /** Null: not known, for instance because nobody wrote down when the shutdown began, or the clock was set back. */
  downSeconds: number | null;
  installSeconds: number | null;
  upSeconds: number | null;
}

export function totalSeconds({ downSeconds, installSeconds, upSeconds }: Away): number | null {
  if (downSeconds === null || installSeconds === null || upSeconds === null) return null;
  return downSeconds + installSeconds + upSeconds;
}

/** What was foretold when it was armed the last time. */
export function estimateIn(rows: readonly JournalRow[]): Away | null {
  return noteIn(rows, 'estimate');
}

/** How long it really took; null before the confirmation. */
export function awayIn(rows: readonly JournalRow[]): Away | null {
  return noteIn(rows, 'away');
}

function noteIn(rows: readonly JournalRow[], kind: 'estimate' | 'away'): Away | null {
  const found = noteRows(rows, kind).at(-1)?.entry;
  if (!found) return null;
  const { downSeconds, installSeconds, upSeconds } = found;
  return { downSeconds, installSeconds, upSeconds };
}

/**
 * From the rows alone, and when the shutdown into the update boot was asked for. Only for an update of one attempt:
 * a second one has a boot between that nobody foretold.
 */
export function measuredAway(
  rows: readonly JournalRow[],
  shutdownAsked: Date | undefined,
  now: Date,
): Away | undefined {
  const [claimed, ...more] = eventRows(rows, 'claimed');
  const left = noteRows(rows, 'leaving').at(-1);
  if (!claimed || !left || more.length > 0 || claimed.bootId !== left.bootId) return undefined;
  const [claimedAt, leftAt] = [Date.parse(claimed.at), Date.parse(left.at)];
  const away: Away = {
    downSeconds: shutdownAsked ? secondsBetween(shutdownAsked.getTime(), claimedAt) : null,
    installSeconds: secondsBetween(claimedAt, leftAt),
    upSeconds: secondsBetween(leftAt, now.getTime()),
  };
  return Object.values(away).every((seconds) => seconds === null) ? undefined : away;
}

/** Null when it would be negative: the clock was set back meanwhile, and nobody knows. Both in milliseconds. */
export function secondsBetween(from: number, to: number): number | null {
  return to < from ? null : (to - from) / 1000;
}
