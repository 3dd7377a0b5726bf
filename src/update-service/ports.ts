/**
 * Every effect of the offline half, made once here (the composition root of the service bundle). Nothing is loaded
 * lazily: the update may replace Node and any file under it.
 */
import { join } from 'node:path';
import { readBootId } from '../host/boot-id.js';
import { runCommand, type RunCommand } from '../host/command.js';
import { durableFiles, type DurableFiles } from '../host/durable-files.js';
import { fileSystem, type FileSystem } from '../host/file-system.js';
import { startJob } from '../host/job.js';
import type { Mount } from '../host/mounts.js';
import { noteNode } from '../host/node-starts.js';
import { powerLadder, systemPowerRungs, type PowerAction } from '../host/power.js';
import { readRunningSystem, type RunningSystem } from '../host/running-system.js';
import { systemLog, type SystemLog } from '../host/system-log.js';
import { wakeLogin } from '../host/wake-login.js';
import { whySyncsStay } from '../host/without-syncs.js';
import { aptPayload } from '../payloads/packages/apt/apt-payload.js';
import type { Payload } from '../payloads/payload.js';
import { machineSnapshots } from '../snapshots/machine-snapshots.js';
import type { SnapshotProvider } from '../snapshots/snapshot-provider.js';
import { announcer, type Announcer } from '../update/announce.js';
import type { Moment } from '../update/journal.js';
import { pathsBelow, type Paths } from '../update/paths.js';
import type { PayloadPlan } from '../update/plan.js';
import { readPolicy } from '../update/policy.js';
import { updateStore, type UpdateStore } from '../update/store.js';
import { machineHealth, type MachineHealth } from './health/machine-health.js';

export interface Ports {
  paths: Paths;
  fs: FileSystem;
  files: DurableFiles;
  run: RunCommand;
  moment: Moment;
  store: UpdateStore;
  payload: Payload<PayloadPlan>;
  snapshots: SnapshotProvider;
  health: MachineHealth;
  /** The unit writes to journal and console alike. */
  log: SystemLog;
  announce: Announcer;
  askToLeave: (action: PowerAction) => Promise<string>;
  runningSystem: () => Promise<RunningSystem>;
  /** Why the package manager's syncs cannot be suppressed on this machine; undefined when they can. Asked once. */
  whySyncsStay: () => Promise<string | undefined>;
  /** Why the next boot cannot start what confirms, where the update has touched Node.js (host/node-starts.ts). */
  whyNodeFails: () => Promise<string | undefined>;
  /** Called some time before askToLeave, which then has less to wait for; once is enough. Never throws. */
  wakeLogin: () => Promise<void>;
  /** What only the kernel knows; tests say otherwise. */
  kernel?: { mounts(): Promise<Mount[]> };
}

export async function systemPorts(): Promise<Ports> {
  const paths = pathsBelow('/');
  const fs = fileSystem;
  const files = durableFiles(fs);
  const moment: Moment = { now: () => new Date(), bootId: await readBootId() };
  const log = systemLog({ run: runCommand });
  const whyNodeFails = noteNode({ run: runCommand, program: join(paths.library, 'update-service.cjs') });
  let woken: Promise<void> | undefined;
  let syncs: Promise<string | undefined> | undefined;
  const announce = announcer({ fs, paths, log, policy: () => readPolicy(fs, paths) });
  return {
    paths,
    fs,
    files,
    run: runCommand,
    moment,
    store: updateStore({ paths, fs, files, moment, announce: announce.event }),
    announce,
    payload: aptPayload({ paths, fs, files, run: runCommand, startJob }),
    snapshots: await machineSnapshots({ paths, fs, files, run: runCommand }),
    health: machineHealth(runCommand),
    log,
    runningSystem: () => readRunningSystem(),
    whyNodeFails,
    whySyncsStay: () => (syncs ??= whySyncsStay(runCommand)),
    wakeLogin: () => (woken ??= wakeLogin()),
    askToLeave: powerLadder(systemPowerRungs({ runCommand }), (line) => {
      log.write('info', line);
    }),
  };
}
