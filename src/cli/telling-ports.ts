/** What the verbs that only tell have, and what all others build upon. */
import { runCommand, type RunCommand } from '../host/command.js';
import { durableFiles } from '../host/durable-files.js';
import { fileSystem } from '../host/file-system.js';
import type { ScheduledShutdown } from '../host/scheduled-shutdown.js';
import type { Online } from '../prepare/online.js';
import type { SnapshotProvider } from '../snapshots/snapshot-provider.js';
import { pathsBelow } from '../update/paths.js';
import type { PayloadPlan } from '../update/plan.js';
import { updateStore, type StoreParts } from '../update/store.js';
import { refuseMissingRoot } from './other-root.js';
import { thisBoot } from './this-boot.js';

export interface TellingPorts {
  /** Others cannot see the kept fallbacks. */
  isRoot: boolean;
  online: Online;
  run: RunCommand;
  snapshots(): Promise<SnapshotProvider>;
  /** Were packages changed since the plan was made? */
  hasDrifted(plan: PayloadPlan): Promise<boolean>;
  /** What logind will do at a time. */
  shutdown(): Promise<ScheduledShutdown | undefined>;
}

/** `announce`: of what makes events; the verbs that only tell make none. Errors: `USAGE` for a root that is not there. */
export async function tellingPorts(root: string, announce?: StoreParts['announce']): Promise<TellingPorts> {
  const paths = pathsBelow(root);
  const fs = fileSystem;
  if (root !== '/') await refuseMissingRoot(fs, root);
  const files = durableFiles(fs);
  const moment = { now: () => new Date(), bootId: await thisBoot() };
  const store = updateStore({ paths, fs, files, moment, ...(announce && { announce }) });
  return {
    isRoot: process.geteuid?.() === 0,
    online: {
      paths,
      fs,
      files,
      moment,
      store,
      takeLock: async (...wanted) => (await import('../host/lock.js')).takeLock(...wanted),
    },
    run: runCommand,
    async snapshots() {
      const { machineSnapshots } = await import('../snapshots/machine-snapshots.js');
      return machineSnapshots({ paths, fs, files, run: runCommand });
    },
    async hasDrifted(plan) {
      const [{ baseDrifted }, { dpkgDatabase }] = await Promise.all([
        import('../payloads/packages/apt/base-drift.js'),
        import('../payloads/packages/apt/dpkg-database.js'),
      ]);
      // Others wait for it, on the bus: a dpkg that hangs must not keep them for good.
      const run: RunCommand = (file, args, options) =>
        runCommand(file, args, { ...options, timeoutSeconds: 60 });
      return baseDrifted({ root, files: fs, database: dpkgDatabase(run, fs, root) }, plan);
    },
    async shutdown() {
      return (await import('../host/scheduled-shutdown.js')).scheduledShutdown();
    },
  };
}
