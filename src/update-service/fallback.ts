/** The way back: armed before the first change, taken when a later phase fails (DESIGN, invariant 4). */
import { UpdateError } from '../update/errors.js';
import type { Attempt } from './attempt.js';

/** Errors: `SNAPSHOT_UNAVAILABLE` where the policy requires one. Which applied is recorded, never silent. */
export async function armFallback(attempt: Attempt): Promise<void> {
  const { ports, plan, update } = attempt;
  const wish = plan.policy.snapshot;
  if (wish === 'off') {
    await update.journal.append({
      note: 'finding',
      check: 'snapshot',
      message: 'no fallback: the policy says off',
    });
    return;
  }
  const support = await ports.snapshots.probe();
  if (support.usable) {
    attempt.fallback = await ports.snapshots.armFallback(update.id);
    return;
  }
  if (wish === 'require') {
    throw new UpdateError('SNAPSHOT_UNAVAILABLE', `the policy requires a fallback: ${support.reason}`);
  }
  await update.journal.append({
    note: 'finding',
    check: 'snapshot',
    message: `no fallback: ${support.reason}`,
  });
}

/** Back to the old root where there is one; the failure itself is told by the caller. */
export async function revert({ ports, fallback }: Attempt, error: unknown): Promise<void> {
  if (fallback) await ports.snapshots.revert(fallback);
  throw error;
}
