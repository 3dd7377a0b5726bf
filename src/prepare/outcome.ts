/** How `prepare` and `trigger` end, as the JSON document that the command prints and the bus tells. */
import type { Rehearsal } from '../update/rehearsal.js';
import type { FailedBefore } from './failed-before.js';
import type { Prepared } from './prepare-update.js';
import { summary, type PlanSummary } from './plan-summary.js';
import type { Triggered } from './trigger.js';

export interface PreparedOutcome {
  id: string;
  state: 'prepared';
  plan: PlanSummary;
  rehearsal?: Rehearsal;
  failedBefore: FailedBefore | null;
  /** The next command to type. */
  next: string;
}

export function preparedOutcome(
  { id, plan, failedBefore }: Prepared,
  rehearsal: Rehearsal | undefined,
): PreparedOutcome {
  return {
    id,
    state: 'prepared',
    plan: summary(plan),
    ...(rehearsal && { rehearsal }),
    failedBefore: failedBefore ?? null,
    next: failedBefore ? `offline-update report ${failedBefore.id}` : 'offline-update trigger',
  };
}

export type ArmedOutcome = { state: 'armed' } & Triggered;

export function armedOutcome(armed: Triggered): ArmedOutcome {
  return { state: 'armed', ...armed };
}
