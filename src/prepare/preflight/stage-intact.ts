/** Invariant 7, already now: what was tampered with is better refused before the reboot than after it. */
import { asUpdateError } from '../../update/errors.js';
import type { Finding } from '../../update/finding.js';
import type { Check } from './context.js';

export const STAGE_INTACT = 'stage-intact';

export const stageIntact: Check = {
  id: STAGE_INTACT,
  async run({ staged }) {
    if (!staged) return [];
    try {
      await staged.verify();
      return [];
    } catch (error) {
      return [stageNotIntact(error)];
    }
  },
};

export function stageNotIntact(error: unknown): Finding {
  const { message, hint } = asUpdateError(error);
  const remedy = hint ?? 'offline-update prepare';
  return { check: STAGE_INTACT, severity: 'block', evidence: message, remedy };
}
