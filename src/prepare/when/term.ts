/**
 * From when to when an update may be started: the time that was wished for, within the windows of the policy. Pure.
 */
import { UpdateError } from '../../update/errors.js';
import { openingAfter, openingAt, type Opening, type Window } from '../../update/windows.js';
import { zonedText } from '../../update/zoned-time.js';

export interface Term {
  /** The reboot is not before. */
  at: Date;
  /** Nor after; null: whenever the machine is idle. */
  until: Date | null;
  /** The window is shorter than the update will take. */
  isCramped: boolean;
}

export interface TermWish {
  /** Undefined: as soon as it may be. */
  at?: Date | undefined;
  whenIdle: boolean;
  /** How long the machine will be away; null: not known. */
  awaySeconds: number | null;
}

/** Where no window says it, a machine that was off at the time does not reboot in the middle of the next morning. */
const LATE_SECONDS = 3600;

/** Errors: `USAGE` when the wished time lies in no window. */
export function chooseTerm(wish: TermWish, now: Date, windows: readonly Window[]): Term {
  const { at = now, whenIdle, awaySeconds } = wish;
  if (windows.length === 0) {
    const until = whenIdle ? null : new Date(at.getTime() + LATE_SECONDS * 1000);
    return { at, until, isCramped: false };
  }
  const open = openingAt(windows, at);
  if (!open && wish.at) {
    const next = openingAfter(windows, at);
    throw new UpdateError('USAGE', `${zonedText(at)} lies in no maintenance window`, {
      hint: next
        ? `the next one opens ${zonedText(next.from)}; whatever the windows: offline-update trigger --now`
        : 'offline-update trigger --now',
    });
  }
  if (open && (wish.at !== undefined || lasts(open, at, awaySeconds))) return within(open, at, awaySeconds);
  const next = openingAfter(windows, at);
  // One that has room for it is waited for; where none has, waiting is of no use.
  if (next && (!open || lasts(next, next.from, awaySeconds))) return within(next, next.from, awaySeconds);
  if (open) return within(open, at, awaySeconds);
  throw new UpdateError('CONFIG_INVALID', 'no maintenance window opens within two weeks', {
    hint: 'man 5 offline-update.toml',
  });
}

function lasts({ to }: Opening, from: Date, awaySeconds: number | null): boolean {
  return to.getTime() - from.getTime() >= (awaySeconds ?? 0) * 1000;
}

function within(opening: Opening, at: Date, awaySeconds: number | null): Term {
  return { at, until: opening.to, isCramped: !lasts(opening, at, awaySeconds) };
}
