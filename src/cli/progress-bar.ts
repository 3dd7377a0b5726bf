/**
 * Progress on stderr. On a terminal one line that is drawn anew, at most ten times a second: percent, bar, bytes,
 * rate, time left, item. Elsewhere plain lines, one for each ten percent.
 */
import type { Progress, ProgressEvent } from '../payloads/payload.js';
import type { Stream } from './output.js';
import { bytesText, clockText } from './quantities.js';

export interface ProgressBar {
  on: Progress;
  /** Leaves the line, so that what follows stands on one of its own. */
  end(): void;
}

const REDRAW_MILLISECONDS = 100;
const PLAIN_STEP_PERCENT = 10;
const NARROWEST_COLUMNS = 20;
const WIDEST_BAR_COLUMNS = 30;

/** `clock`: milliseconds, monotonic. */
export function progressBar(stream: Stream, clock: () => number): ProgressBar {
  return stream.isTTY === true ? drawnBar(stream, clock) : plainLines(stream);
}

function drawnBar(stream: Stream, clock: () => number): ProgressBar {
  const started = clock();
  let drawnAt = -Infinity;
  let first: ProgressEvent | undefined;
  let last: ProgressEvent | undefined;
  const draw = (event: ProgressEvent): void => {
    drawnAt = clock();
    const columns = Math.max(NARROWEST_COLUMNS, stream.columns ?? 80) - 1;
    const text = barLine(event, first ?? event, (drawnAt - started) / 1000, columns);
    stream.write(`\r${text}\u001b[K`);
  };
  return {
    on(event) {
      // What an earlier run had downloaded already says nothing about the rate.
      first ??= event;
      last = event;
      if (event.percent === 100 || clock() - drawnAt >= REDRAW_MILLISECONDS) draw(event);
    },
    end() {
      if (!last) return;
      draw(last);
      stream.write('\n');
      last = undefined;
    },
  };
}

/** Exactly one line of at most `columns`; what does not fit is left away, the item first. */
export function barLine(
  event: ProgressEvent,
  first: ProgressEvent,
  seconds: number,
  columns: number,
): string {
  const percent = `${String(Math.floor(event.percent)).padStart(3)} %`;
  const parts = [...amount(event), ...rate(event, first, seconds), event.item ?? event.text];
  const room = columns - percent.length - 3;
  const barColumns = Math.max(5, Math.min(WIDEST_BAR_COLUMNS, Math.floor(room / 3)));
  const filled = Math.round((event.percent / 100) * barColumns);
  const bar = `[${'#'.repeat(filled)}${'.'.repeat(barColumns - filled)}]`;
  let line = `${percent} ${bar}`;
  for (const part of parts) {
    if (line.length + 2 + part.length > columns) break;
    line += `  ${part}`;
  }
  return line.slice(0, columns);
}

function amount({ bytesDone, bytesTotal }: ProgressEvent): string[] {
  if (bytesDone === undefined || bytesTotal === undefined) return [];
  return [`${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`];
}

function rate({ bytesDone, bytesTotal }: ProgressEvent, first: ProgressEvent, seconds: number): string[] {
  if (bytesDone === undefined || bytesTotal === undefined || seconds < 1) return [];
  const bytesPerSecond = (bytesDone - (first.bytesDone ?? 0)) / seconds;
  if (bytesPerSecond <= 0) return [];
  const left = clockText((bytesTotal - bytesDone) / bytesPerSecond);
  return [`${bytesText(bytesPerSecond)}/s`, `${left} left`];
}

function plainLines(stream: Stream): ProgressBar {
  let told = -PLAIN_STEP_PERCENT;
  return {
    on(event) {
      const step = Math.floor(event.percent / PLAIN_STEP_PERCENT) * PLAIN_STEP_PERCENT;
      if (step <= told) return;
      told = step;
      stream.write(`${[`${step} %`, ...amount(event), event.text].join('  ')}\n`);
    },
    end() {
      // every line was ended already
    },
  };
}
