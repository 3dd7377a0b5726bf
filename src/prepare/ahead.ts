/** The update service that waits for the soft-reboot into the update boot (docs/speed.md). */
import type { RunCommand } from '../host/command.js';
import { exists } from '../host/exists.js';
import type { Online } from './online.js';

/** Resolves when it is ready, and when it cannot be had: the update boot then starts it as after any other boot. */
export async function startAhead(run: RunCommand): Promise<void> {
  await systemctl(run, 'start');
}

/** After a cancel nobody waits; without this it would end by itself within ten seconds. Of the running system only. */
export async function stopAhead({ fs, paths }: Online, run: RunCommand): Promise<void> {
  if (paths.root === '/' && (await exists(fs, paths.ahead))) await systemctl(run, 'stop');
}

async function systemctl(run: RunCommand, verb: 'start' | 'stop'): Promise<void> {
  await run('systemctl', [verb, 'offline-update-ahead.service'], { timeoutSeconds: 3 }).catch(
    () => undefined,
  );
}
