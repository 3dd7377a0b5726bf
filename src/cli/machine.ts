/** This machine, as the preflight asks about it. */
import { release } from 'node:os';
import { dirname } from 'node:path';
import type { RunCommand } from '../host/command.js';
import { lastSynchronization } from '../host/clock.js';
import { freeSpace, type FreeSpace } from '../host/disk-space.js';
import { fileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { readKernelCommandLine } from '../host/kernel-command-line.js';
import { isWritableFolder, readMounts } from '../host/mounts.js';
import { readRunningSystem } from '../host/running-system.js';
import { isChroot, runsUnderSystemd, systemdVersion } from '../host/systemd.js';
import { readNetwork } from '../host/network-state.js';
import { readSystemState, readUnitStates } from '../host/unit-states.js';
import type { HostFacts } from '../prepare/host-facts.js';

export function hostFacts(root: string, run: RunCommand): HostFacts {
  return {
    kernelCommandLine: () => readKernelCommandLine(),
    isChroot: () => isChroot(),
    runsUnderSystemd: () => runsUnderSystemd(),
    systemdVersion: () => systemdVersion(run),
    isWritableFolder: (path) => isWritableFolder(path),
    freeSpace: freeSpaceAt,
    async health() {
      const [units, interfaces] = await Promise.all([readUnitStates(run), readNetwork()]);
      return { units, interfaces, monotonicSeconds: Number(process.hrtime.bigint()) / 1e9 };
    },
    async packageLockHolder() {
      const { dpkgLockHolder } = await import('../payloads/packages/apt/dpkg-lock.js');
      return dpkgLockHolder(fileSystem, root);
    },
    mounts: () => readMounts(),
    shutdownInhibitors: async () => (await import('../host/login.js')).shutdownInhibitors(),
    otherUsers: async () => (await import('../host/login.js')).loggedInUsers(process.env['XDG_SESSION_ID']),
    isIdle: async () => (await import('../host/login.js')).isIdle(),
    secondsUp: async () => (await import('../host/boot-times.js')).secondsUp(run),
    async isStarting() {
      return ['initializing', 'starting'].includes(await readSystemState(run));
    },
    isMetered: async () => (await import('../host/login.js')).isNetworkMetered(),
    kernelRelease: () => Promise.resolve(release()),
    runningSystem: () => readRunningSystem(),
    now: () => new Date(),
    lastKnownTime: () => lastSynchronization(),
  };
}

/** Of a folder that is not made yet: where it will be made. */
async function freeSpaceAt(path: string): Promise<FreeSpace> {
  try {
    return await freeSpace(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error;
    return freeSpaceAt(dirname(path));
  }
}
