/**
 * The half of the apt payload that works in the update boot; `preflight` also serves the trigger.
 */
import type { Activity } from '../../../host/cgroup-activity.js';
import { readActivity } from '../../../host/cgroup-activity.js';
import type { RunCommand } from '../../../host/command.js';
import type { DurableFiles } from '../../../host/durable-files.js';
import type { FileSystem } from '../../../host/file-system.js';
import type { StartJob } from '../../../host/job.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Payload } from '../../payload.js';
import { healPlan } from './apt-heal.js';
import { advisePlan } from './advice/apt-advice.js';
import { argumentsAsDecided } from './as-decided.js';
import type { InstallPorts } from './apt-install.js';
import { installPlan } from './apt-install.js';
import type { PreflightPorts } from './apt-preflight.js';
import { preflightPlan } from './apt-preflight.js';
import { installedAgain, verifyPlan } from './apt-verify.js';
import { leftoverRecord, leftoversSince, recordLeftovers } from './conffile-leftovers.js';
import { isBootLoader } from './boot-loaders.js';
import { askedQuestions } from './debconf-questions.js';
import { dpkgDatabase } from './dpkg-database.js';
import { lookAtDpkgLock, waitForDpkgLock, type LockLook } from './dpkg-lock.js';

export interface AptInstallingDependencies {
  paths: { root: string };
  fs: FileSystem;
  files: DurableFiles;
  run: RunCommand;
  startJob: StartJob;
  simulatedDifferences: PreflightPorts['simulatedDifferences'];
  /** Only tests give their own. */
  readActivity?: (pid: number) => Promise<Activity>;
}

/** For a holder that does nothing; one that works is waited for as long as it takes. */
const ordinaryLockSeconds = 60;

export type AptInstalling = Omit<Payload<PackagesPlan>, 'plan' | 'fetch' | 'agree'>;

export function aptInstalling(dependencies: AptInstallingDependencies): AptInstalling {
  const { root } = dependencies.paths;
  const ports: InstallPorts & PreflightPorts = {
    root,
    files: dependencies.fs,
    runCommand: dependencies.run,
    startJob: dependencies.startJob,
    simulatedDifferences: dependencies.simulatedDifferences,
    readActivity: dependencies.readActivity ?? ((pid) => readActivity(pid)),
    // `performance` is compiled when it is first asked for: 4 ms.
    clock: () => Number(process.hrtime.bigint()) / 1e6,
    database: dpkgDatabase(dependencies.run, dependencies.fs, root),
  };
  const leftoverPorts = { ...ports, durable: dependencies.files };
  /** What hung in this boot: a repair leaves it out. */
  const hung = new Set<string>();
  let record: string | undefined;
  let remembered: Promise<void> | undefined;
  const remember = (plan: PackagesPlan, terminalLog: string): Promise<void> => {
    record = leftoverRecord(terminalLog);
    return (remembered ??= recordLeftovers(leftoverPorts, plan, record));
  };
  let lockAhead: LockLook | undefined;
  /** Words for apt-get, from the moment when nothing had changed yet by which apt has decided. */
  let asDecided: string[] = [];

  return {
    preflight: (plan, stage) => preflightPlan(ports, plan, stage),
    advise: (plan, policy) => advisePlan(ports, plan, policy),
    async install(plan, stage, on, options) {
      await remember(plan, options.terminalLog);
      // before the job starts: while apt waits for a lock it shows no life, and would be taken for stalled
      await waitForDpkgLock(ports, options.policy.lockTimeoutSeconds, lockAhead);
      asDecided = await argumentsAsDecided(ports, plan, stage);
      await installPlan(ports, plan, stage, on, { ...options, asDecided }, (name) => hung.add(name));
    },
    async verify(plan, boot = 'update') {
      if (boot === 'ordinary') await waitForDpkgLock(ports, ordinaryLockSeconds);
      return verifyPlan(ports, plan, { orNewer: boot === 'ordinary', asDecided });
    },
    installedAgain,
    async heal(plan, stage, on, options) {
      record = leftoverRecord(options.terminalLog);
      await healPlan(ports, plan, stage, on, options, hung);
    },
    writesBootLoader: ({ changes }) => changes.some(({ name }) => isBootLoader(name)),
    questions: () => askedQuestions(dependencies.fs, root),
    lookAhead(plan, terminalLog) {
      lockAhead = lookAtDpkgLock(ports);
      return Promise.all([remember(plan, terminalLog), lockAhead.holder]);
    },
    leftovers: (plan) => leftoversSince(leftoverPorts, plan, record),
  };
}
