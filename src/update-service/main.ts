/**
 * The entry of the service bundle: `run` in the update boot, or `ahead` of a soft-reboot into it, `recover` and `confirm` in
 * ordinary ones, and `rehearse` in a throw-away copy of the system. For the units and the rehearsal only; by hand it
 * refuses, since `run` ends in a reboot (PackageKit#687).
 *
 * Ends with status 0 only when the verb came to its end: a promise that never settles ends a Node process with 0,
 * which a unit would read as success.
 */
import { setPriority } from 'node:os';
import { loadedFiles, refused } from '../host/node-starts.js';
import { beginOrBeSnapshot } from '../host/start-up-snapshot.js';
import { asUpdateError } from '../update/errors.js';
import { waitAhead } from './ahead.js';
import { confirm } from './confirm.js';
import { systemPorts, type Ports } from './ports.js';
import { rehearsalOrderSchema } from '../update/rehearsal.js';
import { rehearse } from './rehearse/rehearse.js';
import { recover } from './recover.js';
import { runUpdateBoot } from './run.js';

/** Of a rehearsal: a process of a throw-away copy, which ends with it. */
async function rehearseOrder(word: string): Promise<void> {
  const order = rehearsalOrderSchema.parse(JSON.parse(word));
  await rehearse(await systemPorts(), order, (line) => {
    console.log(JSON.stringify(line));
  });
}

const verbs: Record<string, (ports: Ports) => Promise<void>> = {
  run: runUpdateBoot,
  ahead: runUpdateBoot,
  recover,
  confirm,
};

/** Only the start of Node.js gives way to the boot (Nice= of the unit): checks of others are judged by their time. */
function takePriorityBack(): void {
  try {
    setPriority(0);
  } catch {
    // A container without CAP_SYS_NICE: it takes a little longer.
  }
}

async function begin(): Promise<void> {
  if (process.argv[2] === 'rehearse') {
    await rehearseOrder(process.argv[3] ?? '');
    process.exitCode = 0;
    return;
  }
  const verb = verbs[process.argv[2] ?? ''];
  // Status 3 for what is no verb is proof that we start: of units/make-warm-start, and of the version that installs this one.
  if (!verb || process.env['INVOCATION_ID'] === undefined) {
    console.error('offline-update: this program is started by its systemd units, never by hand');
    console.error('  next: offline-update status');
    if (process.argv[2] === refused.word) for (const file of await loadedFiles()) console.log(file);
    process.exitCode = refused.exitCode;
    return;
  }
  if (process.argv[2] === 'ahead' && !(await waitAhead(await systemPorts(), process.argv[3] ?? '')))
    process.exit(0);
  // A boot that is left before its verdict is judged by none: `confirm` ends as any program, the next boot begins anew.
  const isToFinish = verb !== confirm;
  // The reboot that we ask for sends us SIGTERM (dnf5#2896); a shutdown by somebody else waits until we have ended.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    if (isToFinish) process.on(signal, () => undefined);
  if (verb === confirm) takePriorityBack();
  const ports = await systemPorts();
  await verb(ports).finally(() => Promise.all([ports.announce.settled(), ports.snapshots.settled?.()]));
  process.exit(0);
}

function main(): void {
  process.exitCode = 1;
  begin().catch((error: unknown) => {
    const { code, message, stack } = asUpdateError(error);
    console.error(`<3>offline-update: ${code}: ${message}`);
    console.error(stack);
    process.exit(1);
  });
}

// D-Bus is the last thing that the way out would wait for.
beginOrBeSnapshot(main, () => import('../host/bus.js'));
