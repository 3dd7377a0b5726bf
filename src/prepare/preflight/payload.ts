/**
 * What the payload itself has to say: `drift` (the system changed since the plan was made), `dpkg-dirty`, `lock-held`
 * (neither can be told while somebody is at work on the packages) and whatever else its package manager knows.
 */
import type { Check } from './context.js';

export const payload: Check = {
  id: 'payload',
  async run({ staged, payload: kind, paths }) {
    if (!staged) return [];
    // It lets apt read a file of the stage, which can name programs to run: never of a stage that is not as sealed.
    try {
      await staged.verify();
    } catch {
      return []; // told by `stage-intact`
    }
    const { payload: plan, policy } = staged.plan;
    const [hindrances, advice] = await Promise.all([
      kind.preflight(plan, { path: paths.stage }),
      kind.advise(plan, policy),
    ]);
    return [...hindrances, ...advice];
  },
};
