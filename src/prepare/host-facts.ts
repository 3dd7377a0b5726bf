/** What the preflight asks about this machine; each answer is read anew. Fakes give a machine of their own. */
import type { FreeSpace } from '../host/disk-space.js';

export interface HostFacts {
  kernelCommandLine(): Promise<string[]>;
  isChroot(): Promise<boolean>;
  runsUnderSystemd(): Promise<boolean>;
  /** Major version. */
  systemdVersion(): Promise<number>;
  isWritableFolder(path: string): Promise<boolean>;
  freeSpace(path: string): Promise<FreeSpace>;
  /** Who works with the package manager right now; undefined when nobody does. */
  packageLockHolder(): Promise<{ pid: number; command: string; lock: string } | undefined>;
}
