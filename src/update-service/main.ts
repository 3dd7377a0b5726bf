/**
 * The entry of the service bundle: `run` in the update boot, `recover` and `confirm` in ordinary ones. For the units
 * only; by hand it refuses, since `run` ends in a reboot (PackageKit#687).
 *
 * Ends with status 0 only when the verb came to its end: a promise that never settles ends a Node process with 0,
 * which a unit would read as success.
 */
import { asUpdateError } from '../update/errors.js';
import { confirm } from './confirm.js';
import { systemPorts, type Ports } from './ports.js';
import { recover } from './recover.js';
import { runUpdateBoot } from './run.js';

const verbs: Record<string, (ports: Ports) => Promise<void>> = { run: runUpdateBoot, recover, confirm };

async function main(): Promise<void> {
  const verb = verbs[process.argv[2] ?? ''];
  if (!verb || process.env['INVOCATION_ID'] === undefined) {
    console.error('offline-update: this program is started by its systemd units, never by hand');
    console.error('  next: offline-update status');
    process.exitCode = 3;
    return;
  }
  // The reboot that we ask for sends us SIGTERM (dnf5#2896); a shutdown by somebody else waits until we have ended.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  await verb(await systemPorts());
  process.exit(0);
}

process.exitCode = 1;
main().catch((error: unknown) => {
  const { code, message, stack } = asUpdateError(error);
  console.error(`<3>offline-update: ${code}: ${message}`);
  console.error(stack);
  process.exit(1);
});
