/** What a plan comes to, in numbers and in one line a change. */
import type { PayloadPlan, Plan } from '../update/plan.js';

export interface PlanSummary {
  createdAt: string;
  request: Plan['request'];
  counts: Record<PayloadPlan['changes'][number]['action'], number>;
  downloadBytes: number;
  /** Negative when space is freed. */
  diskBytes: number;
  /** How the update boot would end, and why, as it was told when the plan was made; null when nobody could tell. */
  end: NonNullable<Plan['end']> | null;
  changes: Pick<PayloadPlan['changes'][number], 'name' | 'architecture' | 'action' | 'from' | 'to'>[];
}

export function summary({ createdAt, request, payload, end }: Plan): PlanSummary {
  const counts = { install: 0, upgrade: 0, downgrade: 0, reinstall: 0, remove: 0 };
  for (const { action } of payload.changes) counts[action] += 1;
  return {
    createdAt,
    request,
    counts,
    downloadBytes: payload.changes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    diskBytes: payload.diskBytes,
    end: end ?? null,
    changes: payload.changes.map(({ name, architecture, action, from, to }) => ({
      name,
      architecture,
      action,
      from,
      to,
    })),
  };
}
