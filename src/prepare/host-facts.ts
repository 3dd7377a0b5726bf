/** What the preflight asks about this machine; each answer is read anew. Fakes give a machine of their own. */
import type { FreeSpace } from '../host/disk-space.js';
import type { Inhibitor } from '../host/login.js';
import type { Mount } from '../host/mounts.js';
import type { RunningSystem } from '../host/running-system.js';
import type { HealthFacts } from '../update/baseline.js';

export interface HostFacts {
  kernelCommandLine(): Promise<string[]>;
  isChroot(): Promise<boolean>;
  runsUnderSystemd(): Promise<boolean>;
  /** Major version. */
  systemdVersion(): Promise<number>;
  isWritableFolder(path: string): Promise<boolean>;
  freeSpace(path: string): Promise<FreeSpace>;
  /** Units and network as they are now. */
  health(): Promise<HealthFacts>;
  /** Who works with the package manager right now; undefined when nobody does. */
  packageLockHolder(): Promise<{ pid: number; command: string; lock: string } | undefined>;
  mounts(): Promise<Mount[]>;
  /** Locks that forbid a shutdown. */
  shutdownInhibitors(): Promise<Inhibitor[]>;
  /** Names of the people who are logged in besides the calling session. */
  otherUsers(): Promise<string[]>;
  /** Nobody has used the machine for a while. */
  isIdle(): Promise<boolean>;
  /** Since systemd began to start this boot; undefined when it does not say. */
  secondsUp(): Promise<number | undefined>;
  /** systemd is not through with this boot: what fails in it may not have failed yet. */
  isStarting(): Promise<boolean>;
  isMetered(): Promise<boolean>;
  kernelRelease(): Promise<string>;
  runningSystem(): Promise<RunningSystem>;
  now(): Date;
  /** When the clock was last known to be right; undefined where nobody keeps that. */
  lastKnownTime(): Promise<Date | undefined>;
}
