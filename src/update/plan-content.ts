/**
 * What a plan would change, in one hash: two plans that would do the same to the packages have the same, whenever and
 * from wherever they were made. The id, times, sizes, file names and the rest of the system are not in it.
 */
import { createHash } from 'node:crypto';
import type { PayloadPlan } from './plan.js';

export function contentHash({ kind, manager, changes }: PayloadPlan): string {
  const rows = changes.map(({ name, architecture, action, from, to, sha256 }) =>
    JSON.stringify([name, architecture, action, from, to, sha256]),
  );
  return createHash('sha256')
    .update([kind, manager, ...rows.sort()].join('\n'))
    .digest('hex');
}
