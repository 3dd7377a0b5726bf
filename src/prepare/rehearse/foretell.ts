/** The estimate of a rehearsed update, out of what this machine tells now and its history. */
import type { Plan } from '../../update/plan.js';
import type { Rehearsal } from '../../update/rehearsal.js';
import type { BothWays } from '../end-of.js';
import { estimateAway, pastAways } from '../estimate.js';
import type { Online } from '../online.js';
import type { RehearsalMachine } from './rehearse.js';

export async function foretell(
  { store }: Pick<Online, 'store'>,
  machine: RehearsalMachine,
  plan: Plan,
  rehearsal: Rehearsal,
  ways: BothWays,
): Promise<ReturnType<typeof estimateAway>> {
  const [pace, history, { sparesSyncs }] = await Promise.all([
    machine.pace(),
    pastAways(store, ways),
    machine.fallback(plan),
  ]);
  const facts = { ...ways, ...pace, ...(sparesSyncs && { syncSeconds: 0 }), history, rehearsal };
  return estimateAway({ ...facts, packages: plan.payload.changes.length });
}
