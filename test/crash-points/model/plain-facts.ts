/** What the preflight hears of a machine with which nothing is wrong, and that rehearses nothing. */
import type { Mount } from '../../../src/host/mounts.js';
import { fakeRunningSystem } from '../../fixtures/fake-running-system.js';
import type { HostFacts } from '../../../src/prepare/host-facts.js';
import type { RehearsalMachine } from '../../../src/prepare/rehearse/rehearse.js';
import type { MachineHealth } from '../../../src/update-service/health/machine-health.js';
import { failedUnit } from '../../fixtures/unit-state.js';

export function plainFacts(mounts: Mount[]): HostFacts {
  return {
    kernelCommandLine: () => Promise.resolve([]),
    isChroot: () => Promise.resolve(false),
    runsUnderSystemd: () => Promise.resolve(true),
    systemdVersion: () => Promise.resolve(257),
    isWritableFolder: () => Promise.resolve(true),
    freeSpace: () => Promise.resolve({ bytes: 2 ** 40, inodes: 2 ** 20 }),
    packageLockHolder: () => Promise.resolve(undefined),
    mounts: () => Promise.resolve(mounts),
    shutdownInhibitors: () => Promise.resolve([]),
    otherUsers: () => Promise.resolve([]),
    isIdle: () => Promise.resolve(true),
    secondsUp: () => Promise.resolve(24 * 3600),
    isStarting: () => Promise.resolve(false),
    isMetered: () => Promise.resolve(false),
    kernelRelease: () => Promise.resolve('6.12.1'),
    runningSystem: () => fakeRunningSystem(),
    now: () => new Date(0),
    health: () => Promise.resolve({ units: [], interfaces: [], monotonicSeconds: 0 }),
    lastKnownTime: () => Promise.resolve(undefined),
  };
}

const unused = (): Promise<never> => Promise.reject(new Error('nothing is rehearsed here'));

export const noRehearsal: RehearsalMachine = {
  obstacle: () => 'a model',
  runThrowAway: unused,
  availableMemoryBytes: unused,
  freeBytes: unused,
  servicesUsing: unused,
  fallback: unused,
  pace: unused,
};

const brokenUnit = failedUnit('breaks.service');

/** A boot in which nothing is waited for, and one unit is failed where the machine is not well. */
export function healthOf(isWell: () => Promise<boolean>): MachineHealth {
  return {
    units: async () => ((await isWell()) ? [] : [brokenUnit]),
    network: () => Promise.resolve([]),
    systemState: () => Promise.resolve('running'),
    describe: () => Promise.resolve(''),
    monotonicSeconds: () => 0,
    pause: () => Promise.resolve(),
  };
}
