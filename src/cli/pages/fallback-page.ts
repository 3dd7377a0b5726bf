/** Kept fallbacks for people: which root, how old, what a rollback to it changes. */
import type { FallbackTruth } from '../../prepare/fallbacks.js';
import { ageText, bytesText, timeText } from '../quantities.js';

/** `before update ID, 2 days old, 12.3 MB`. */
export function fallbackLine({ id, before, since, sizeBytes }: FallbackTruth, now: Date): string {
  const size = sizeBytes === null ? '' : `, ${bytesText(sizeBytes)} of its own`;
  return `${id}  from before ${before === 'update' ? 'this update' : 'this rollback'}, ${ageText(since, now)} old${size}`;
}

/** What `rollback` shows before it asks. `changes`: an update's counts in words, by its id. */
export function rollbackPage(
  truth: FallbackTruth,
  { changes, covers, now }: { changes: ReadonlyMap<string, string>; covers: string; now: Date },
): string[] {
  const { id, before, since, goesBack, comesBack } = truth;
  const told = (other: string): string => `  ${other}  ${changes.get(other) ?? ''}`.trimEnd();
  return [
    `Fallback ${id}: the root from before this ${before}, set aside ${timeText(since)}, ${ageText(since, now)} ago.`,
    ...(goesBack.length === 0 ? [] : ['', 'Goes back:', ...goesBack.map(told)]),
    ...(comesBack.length === 0 ? [] : ['', 'Comes back:', ...comesBack.map(told)]),
    '',
    `As of that time: ${covers}.`,
  ];
}
