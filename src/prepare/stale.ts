/**
 * Drift: another package run changed the system since the plan was made, so the plan may no longer be what would
 * happen. Said once in the journal; the plan can then only be replaced.
 */
import type { Payload } from '../payloads/payload.js';
import type { Reason } from '../update/events.js';
import type { PayloadPlan } from '../update/plan.js';
import type { KnownUpdate } from '../update/store.js';
import type { Online } from './online.js';

/** The id of every payload's finding that says so. */
export const DRIFT_CHECK = 'drift';

export async function markStale(update: KnownUpdate, evidence: string): Promise<Reason> {
  const reason: Reason = { code: 'DRIFT', message: evidence };
  await update.journal.append({ event: 'stale', reason });
  return reason;
}

/** The reason when `update` is stale now; undefined when it still fits. */
export async function markStaleIfDrifted(
  { paths, store }: Online,
  payload: Payload<PayloadPlan>,
  update: KnownUpdate,
): Promise<Reason | undefined> {
  const state = update.journal.state;
  if (state.name === 'stale') return state.reason;
  if (state.name !== 'prepared') return undefined;
  const plan = await store.readPlan(update);
  const findings = await payload.preflight(plan.payload, { path: paths.stage });
  const drift = findings.find(({ check }) => check === DRIFT_CHECK);
  return drift && markStale(update, drift.evidence);
}
