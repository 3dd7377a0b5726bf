/** Starts the update service ahead of the soft-reboot that leads into the update boot (docs/speed.md). */
import type { RunCommand } from '../host/command.js';

/** Resolves when it is ready, and when it cannot be had: the update boot then starts it as after any other boot. */
export async function startAhead(run: RunCommand): Promise<void> {
  await run('systemctl', ['start', 'offline-update-ahead.service'], { timeoutSeconds: 3 }).catch(
    () => undefined,
  );
}
