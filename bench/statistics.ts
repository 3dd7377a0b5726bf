/** Medians, since one slow run says something of the machine and nothing of the program. */
import type { Result } from './measurement.js';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? NaN) + upper) / 2 : upper;
}

export function ratioOf({ ours, peer }: Result): number | undefined {
  return peer && median(ours) / median(peer.values);
}

/** Undefined when nothing was promised. */
export function isReached(result: Result): boolean | undefined {
  const { target, ours } = result;
  if (!target) return undefined;
  if ('most' in target) return median(ours) <= target.most;
  return (ratioOf(result) ?? NaN) <= target.ratio;
}
