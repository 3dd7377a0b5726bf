/** The administrator's hooks as phases of the attempt. */
import { runHooks } from './hooks.js';
import type { Attempt } from './attempt.js';

/** Before the snapshot: a hook that fails refuses the update. */
export async function beforeHooks(attempt: Attempt): Promise<void> {
  await hooks(attempt, attempt.ports.paths.hooksBefore);
}

/** After the verification, still inside what can be reverted. */
export async function afterHooks(attempt: Attempt): Promise<void> {
  await hooks(attempt, attempt.ports.paths.hooksAfter);
}

async function hooks({ ports, update, plan, number }: Attempt, folder: string): Promise<void> {
  await runHooks(ports, {
    folder,
    timeoutSeconds: plan.policy.hookTimeoutSeconds,
    env: {
      OFFLINE_UPDATE_ID: update.id,
      OFFLINE_UPDATE_PLAN: update.paths.plan,
      OFFLINE_UPDATE_ATTEMPT: String(number),
      SYSTEMD_OFFLINE: '1',
    },
    note: (note) => update.journal.append(note),
  });
}
