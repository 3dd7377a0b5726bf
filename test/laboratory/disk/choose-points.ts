/**
 * Which crash states of a recording are looked at: some are spread evenly over all of it, the others lie around its turning
 * points (the claim, the arming, the commit, ...), which take a few writes among tens of thousands.
 */
import { crashKinds, type CrashPoint } from './crash-states.js';
import type { DiskLog } from './disk-log.js';
import { randomNumbers } from '../../fixtures/random-numbers.js';

/** So many events before and after a turning point belong to it. */
const nearby = 40;

export interface Choice {
  count: number;
  /** Decides all. */
  seed: number;
  /** What stands in the data of the write that makes a turn. */
  turningTexts: readonly string[];
  /** Default true: one half of them. */
  evenly?: boolean;
}

/** In the order of `at`. */
export function choosePoints(
  log: DiskLog,
  { count, seed, turningTexts, evenly = true }: Choice,
): CrashPoint[] {
  const random = randomNumbers(seed);
  const last = log.events.length - 1;
  const turns = [...log.firstWritesWith(turningTexts).values()];
  const points = Array.from({ length: count }, (_, index): CrashPoint => {
    const turn = (index % 2 === 1 || !evenly) && turns[Math.floor(random() * turns.length)];
    const at =
      turn === false || turn === undefined
        ? Math.floor(((index + random()) * (last + 1)) / count)
        : turn + Math.floor((2 * random() - 1) * nearby);
    const kind = crashKinds[Math.floor(random() * crashKinds.length)] ?? 'lost';
    return { at: Math.min(Math.max(at, 0), last), kind, seed: Math.floor(random() * 2 ** 32) };
  });
  return points.sort((a, b) => a.at - b.at);
}
