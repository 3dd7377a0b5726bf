/** What is to be planned, as the command and the bus ask for it. Errors: `USAGE`. */
import type { Payload } from '../payloads/payload.js';
import { UpdateError } from '../update/errors.js';
import type { PayloadPlan } from '../update/plan.js';
import type { Policy } from '../update/policy.js';
import type { PlanSource } from './prepare-update.js';

export interface Wish {
  /** None: the whole system. */
  packages: string[];
  full: boolean;
  refresh: boolean;
}

export function planSource(
  { packages, full, refresh }: Wish,
  payload: Pick<Payload<PayloadPlan>, 'plan'>,
  policy: Policy,
): PlanSource {
  if (full && packages.length > 0) {
    throw new UpdateError('USAGE', '--full is for the whole system: no names beside it', {
      hint: 'offline-update prepare --help',
    });
  }
  const mode = packages.length > 0 ? 'packages' : full ? 'full-upgrade' : 'upgrade';
  return {
    request: { mode, packages },
    plan: () => payload.plan({ mode, packages, refresh, policy }),
  };
}
