/** The administrator's hooks as phases of the attempt. */
import { runHooks } from './hooks.js';
import type { Attempt } from './attempt.js';
import { keepOutput } from './keep-output.js';
import { syncDisks } from './sync-disks.js';
import { verifyNode } from './verify.js';

/**
 * Before the snapshot: a hook that fails refuses the update. What they wrote is made durable, since an attempt that is
 * resumed after a power cut does not run them again.
 */
export async function beforeHooks(attempt: Attempt): Promise<void> {
  if (await hooks(attempt, attempt.ports.paths.hooksBefore)) await syncDisks(attempt.ports);
}

/** After the verification, still inside what can be reverted: what is committed starts Node.js, whatever they did. */
export async function afterHooks(attempt: Attempt): Promise<void> {
  if (await hooks(attempt, attempt.ports.paths.hooksAfter)) await verifyNode(attempt);
}

async function hooks({ ports, update, plan, number }: Attempt, folder: string): Promise<boolean> {
  return runHooks(ports, {
    folder,
    timeoutSeconds: plan.policy.hookTimeoutSeconds,
    env: hookEnvironment(update.id, update.paths.plan, number),
    async note({ path, exitCode, output }) {
      await keepOutput(ports, update, `the hook ${path}`, output);
      await update.journal.append({ note: 'hook', path, exitCode, output: '' });
    },
  });
}

/** What a hook knows of the update, besides what a unit knows. */
export function hookEnvironment(id: string, planPath: string, attempt: number): Record<string, string> {
  return {
    OFFLINE_UPDATE_ID: id,
    OFFLINE_UPDATE_PLAN: planPath,
    OFFLINE_UPDATE_ATTEMPT: String(attempt),
    SYSTEMD_OFFLINE: '1',
  };
}
