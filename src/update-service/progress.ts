/**
 * One stream of progress for every sink: boot screen, console, journal and status file. Never falls; a phase owns a
 * share of the hundred, and 100 is said once, by `finish`, when all is done.
 */
import type { Plymouth } from '../host/plymouth.js';
import type { Progress, ProgressEvent } from '../payloads/payload.js';
import type { PhaseName } from '../update/events.js';
import { firstLine } from '../update/first-line.js';
import { LIVE_STATUS_FORMAT, type LiveStatus } from '../update/live-status.js';
import type { StateName } from '../update/state.js';

/** Where each phase begins and ends; the install, or what heals it, takes nearly all of the time. */
const shares: Record<PhaseName, readonly [from: number, to: number]> = {
  check: [0, 3],
  before: [3, 4],
  snapshot: [4, 5],
  install: [5, 95],
  heal: [5, 95],
  verify: [95, 97],
  after: [97, 98],
  commit: [98, 99],
  revert: [0, 0],
};

/** A line at least so often while something moves, and at each step of five percent. */
const LINE_STEP_PERCENT = 5;
const STATUS_SPACING_MILLISECONDS = 100;

export interface ProgressSinks {
  plymouth: Plymouth;
  line: (text: string) => void;
  status: (status: LiveStatus) => Promise<void>;
}

export interface ProgressReporter {
  phase(state: StateName, phase: PhaseName): void;
  /** For the payload: percent of its own work. */
  on: Progress;
  /** A line beside the percentages. */
  say(text: string): void;
  /** The last words, of which the first line is told: the log has all of a reason. */
  finish(state: StateName, text: string): Promise<void>;
}

export function progressReporter(id: string, sinks: ProgressSinks, now: () => Date): ProgressReporter {
  const since = now().toISOString();
  let current: LiveStatus = {
    format: LIVE_STATUS_FORMAT,
    pid: process.pid,
    id,
    state: 'claimed',
    phase: 'check',
    percent: 0,
    package: null,
    text: '',
    since,
    lastEvent: since,
    stalled: false,
  };
  let share = shares.check;
  let lastLine = -LINE_STEP_PERCENT;
  let lastStatus = 0;
  let writing: Promise<void> = Promise.resolve();

  const publish = (change: Partial<LiveStatus>, always: boolean): void => {
    const time = now();
    const percent = Math.max(current.percent, Math.floor(change.percent ?? 0));
    current = { ...current, ...change, percent, lastEvent: time.toISOString() };
    // A package may set the clock, to years ago as well.
    const spacing = Math.abs(time.getTime() - lastStatus);
    if (!always && spacing < STATUS_SPACING_MILLISECONDS) return;
    lastStatus = time.getTime();
    const snapshot = current;
    // In order, and never the reason for a failure: the status file is for looking, not for deciding.
    writing = writing.then(() => sinks.status(snapshot)).catch(() => undefined);
  };

  const announce = (text: string): void => {
    lastLine = current.percent;
    sinks.line(text);
    sinks.plymouth.message(text);
  };

  return {
    phase(state, phase) {
      share = shares[phase];
      publish({ state, phase, percent: share[0], package: null }, true);
      sinks.plymouth.progress(current.percent);
    },

    on(event: ProgressEvent) {
      const [from, to] = share;
      const percent = from + ((to - from) * Math.min(event.percent, 100)) / 100;
      const stalled = event.stalled ?? false;
      publish(
        { percent, package: event.item ?? null, text: event.text, stalled },
        stalled !== current.stalled,
      );
      sinks.plymouth.progress(current.percent);
      if (current.percent >= lastLine + LINE_STEP_PERCENT) {
        announce(lineOf(current.percent, event));
      }
    },

    say: announce,

    async finish(state, said) {
      const text = firstLine(said);
      publish({ state, phase: 'done', percent: 100, package: null, text }, true);
      sinks.plymouth.progress(100);
      announce(text);
      await writing;
    },
  };
}

/** `Installing updates · 43 % · 12 of 28 · openssl`, as far as it is known. */
function lineOf(percent: number, { itemsDone, itemsTotal, item, text }: ProgressEvent): string {
  const count = itemsTotal === undefined ? undefined : `${itemsDone ?? 0} of ${itemsTotal}`;
  const parts = ['Installing updates', `${percent} %`, ...(count ? [count, item ?? text] : [text])];
  return parts.join(' · ');
}
