/**
 * What the payload itself has to say: `drift` (the system changed since the plan was made), `dpkg-dirty` and whatever
 * else its package manager knows.
 */
import type { Check } from './context.js';

export const payload: Check = {
  id: 'payload',
  run: ({ staged, payload: kind, paths }) =>
    staged ? kind.preflight(staged.plan.payload, { path: paths.stage }) : Promise.resolve([]),
};
