/**
 * Ids such as `20261120T154935-3f2a`: sortable by age, unique by four random hex digits. The stamp is the time (UTC), or the
 * second after the newest id where the clock is not past that.
 */
import { randomBytes } from 'node:crypto';

export const UPDATE_ID = /^\d{8}T\d{6}-[0-9a-f]{4}$/;

/** Above all of `known`, also when one of them was made while the clock was in the future. */
export function newUpdateId(now: Date, known: readonly string[]): string {
  const newest = known.toSorted().at(-1) ?? '';
  const stamp = stampOf(now) > newest.slice(0, STAMP_LENGTH) ? stampOf(now) : secondAfter(newest);
  return `${stamp ?? stampOf(now)}-${randomBytes(2).toString('hex')}`;
}

const STAMP_LENGTH = 'YYYYMMDDTHHMMSS'.length;

function stampOf(time: Date): string {
  return time.toISOString().replace(/[-:]/g, '').slice(0, STAMP_LENGTH);
}

/** Undefined for what is no time, or the last second that a stamp can tell. */
function secondAfter(id: string): string | undefined {
  const iso = id.replace(/^(.{4})(..)(..T..)(..)(..).*/, '$1-$2-$3:$4:$5Z');
  const after = new Date(Date.parse(iso) + 1000);
  return after.getUTCFullYear() <= 9999 ? stampOf(after) : undefined;
}
