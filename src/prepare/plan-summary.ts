/** What a plan comes to, in numbers and in one line a change. */
import type { PayloadPlan, Plan } from '../update/plan.js';

export interface PlanSummary {
  createdAt: string;
  request: Plan['request'];
  counts: Record<PayloadPlan['changes'][number]['action'], number>;
  downloadBytes: number;
  /** What was compressed anew for a quicker install, and what all packages take in the stage by that; null without. */
  recompressed: { packages: number; stagedBytes: number } | null;
  /** Packages that stay as they were signed although the policy wants them quick to unpack. */
  notRecompressed: NonNullable<PayloadPlan['notRecompressed']>;
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
    recompressed: recompressedIn(payload.changes),
    notRecompressed: payload.notRecompressed ?? [],
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

function recompressedIn(changes: PayloadPlan['changes']): PlanSummary['recompressed'] {
  const packages = changes.filter(({ recompressed }) => recompressed).length;
  if (packages === 0) return null;
  const staged = changes.map(({ sizeBytes, recompressed }) => recompressed?.sizeBytes ?? sizeBytes);
  return { packages, stagedBytes: staged.reduce((sum, size) => sum + size, 0) };
}
