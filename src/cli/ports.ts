/**
 * The composition root of the command. What starts slowly (the payload, the bus) is loaded when a verb asks for it, so
 * that `status` answers at once.
 */
import { readBootId } from '../host/boot-id.js';
import { runCommand, type RunCommand } from '../host/command.js';
import { durableFiles } from '../host/durable-files.js';
import { fileSystem } from '../host/file-system.js';
import type { Payload, Stage } from '../payloads/payload.js';
import type { HostFacts } from '../prepare/host-facts.js';
import type { Online } from '../prepare/online.js';
import type { Scheduler } from '../prepare/when/scheduler.js';
import type { RehearsalMachine } from '../prepare/rehearse/rehearse.js';
import type { SnapshotProvider } from '../snapshots/snapshot-provider.js';
import type { Announcer } from '../update/announce.js';
import { pathsBelow, type Paths } from '../update/paths.js';
import type { PayloadPlan } from '../update/plan.js';
import type { Policy } from '../update/policy.js';
import { updateStore } from '../update/store.js';
import { hostFacts } from './machine.js';

export interface CliPayload extends Payload<PayloadPlan> {
  /** The plan of a package manager's plugin: `from` is a file, or `-` for the standard input. */
  planFromPlugin(from: string, stage: Stage, policy: Policy): Promise<PayloadPlan>;
}

export interface CliPorts {
  /** Others cannot see the kept fallbacks. */
  isRoot: boolean;
  online: Online;
  facts: HostFacts;
  run: RunCommand;
  payload(): Promise<CliPayload>;
  snapshots(): Promise<SnapshotProvider>;
  rehearsal(): Promise<RehearsalMachine>;
  scheduler(): Promise<Scheduler>;
  /** Errors: `CONFIG_INVALID`. */
  policy(): Promise<Policy>;
  /** What the system's packages look like now. */
  baseFingerprint(): Promise<string>;
  /** The line that the person typed; undefined where nobody can be asked. */
  ask(question: string): Promise<string | undefined>;
  /** Resolves with the name of what took the request. Errors: HostError `POWER_REFUSED`. */
  leave(action: 'reboot' | 'soft-reboot', log: (line: string) => void): Promise<string>;
}

export type MakePorts = (root: string) => Promise<CliPorts>;

/** What an event is told with is loaded when there is one; Node itself waits until all is told. */
function announceLate(paths: Paths, run: RunCommand): Announcer['event'] {
  let loaded: Promise<Announcer> | undefined;
  const load = async (): Promise<Announcer> => {
    const [{ announcer }, { systemLog }, { readPolicy }] = await Promise.all([
      import('../update/announce.js'),
      import('../host/system-log.js'),
      import('../update/policy.js'),
    ]);
    const log = systemLog({ run, output: { write: () => true } });
    return announcer({ fs: fileSystem, paths, log, policy: () => readPolicy(fileSystem, paths) });
  };
  return (...event) => {
    loaded ??= load();
    void loaded.then((announce) => {
      announce.event(...event);
    });
  };
}

export const systemPorts: MakePorts = async (root) => {
  const paths = pathsBelow(root);
  const fs = fileSystem;
  const files = durableFiles(fs);
  const moment = { now: () => new Date(), bootId: await readBootId() };
  return {
    isRoot: process.geteuid?.() === 0,
    online: {
      paths,
      fs,
      files,
      moment,
      store: updateStore({ paths, fs, files, moment, announce: announceLate(paths, runCommand) }),
      takeLock: async (...wanted) => (await import('../host/lock.js')).takeLock(...wanted),
    },
    facts: hostFacts(root, runCommand),
    run: runCommand,
    async payload() {
      const [{ aptPayload }, { planFromPlugin }, { startJob }] = await Promise.all([
        import('../payloads/packages/apt/apt-payload.js'),
        import('../payloads/packages/apt/plugin-request.js'),
        import('../host/job.js'),
      ]);
      const dependencies = { paths, fs, files, run: runCommand, startJob };
      return {
        ...aptPayload(dependencies),
        planFromPlugin: (from, stage, policy) => planFromPlugin(dependencies, from, stage, policy),
      };
    },
    async snapshots() {
      const { machineSnapshots } = await import('../snapshots/machine-snapshots.js');
      return machineSnapshots({ paths, fs, files, run: runCommand });
    },
    async rehearsal() {
      const [{ rehearsalMachine }, { machineSnapshots }] = await Promise.all([
        import('./rehearsal-machine.js'),
        import('../snapshots/machine-snapshots.js'),
      ]);
      return rehearsalMachine(
        paths,
        runCommand,
        await machineSnapshots({ paths, fs, files, run: runCommand }),
      );
    },
    async scheduler() {
      return (await import('./system-scheduler.js')).systemScheduler(runCommand, moment.now);
    },
    async policy() {
      return (await import('../update/policy.js')).readPolicy(fs, paths);
    },
    async baseFingerprint() {
      const { dpkgDatabase } = await import('../payloads/packages/apt/dpkg-database.js');
      // Others wait for it, on the bus: a dpkg that hangs must not keep them for good.
      const run: RunCommand = (file, args, options) =>
        runCommand(file, args, { ...options, timeoutSeconds: 60 });
      return dpkgDatabase(run, fs, root).fingerprint();
    },
    async ask(question) {
      return (await import('../host/ask.js')).askPerson(question);
    },
    async leave(action, log) {
      const { powerLadder, systemPowerRungs } = await import('../host/power.js');
      return powerLadder(systemPowerRungs({ runCommand, inhibitors: 'respect' }), log)(action);
    },
  };
};
