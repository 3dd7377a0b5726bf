/**
 * `/run/offline-update/status.json` (format 1): what is going on right now, for whoever looks. Replaced in one step;
 * not synced, since it lives in memory only.
 */
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import type { PhaseName } from './events.js';
import type { Paths } from './paths.js';
import type { StateName } from './state.js';

export const LIVE_STATUS_FORMAT = 1;

export interface LiveStatus {
  format: typeof LIVE_STATUS_FORMAT;
  /** Who writes it: when that process has ended, so has what it told of. */
  pid: number;
  /** Null while an update is being prepared. */
  id: string | null;
  state: StateName | 'preparing' | 'rehearsing';
  /** `done`: the update boot is at its end. */
  phase: PhaseName | 'prepare' | 'rehearse' | 'done';
  /** Whole percent, never falling; 100 only at the true end. */
  percent: number;
  package: string | null;
  text: string;
  since: string;
  lastEvent: string;
  stalled: boolean;
}

let serial = 0;

export async function writeLiveStatus(fs: FileSystem, paths: Paths, status: LiveStatus): Promise<void> {
  await fs.makeFolder(paths.runFolder, 0o755);
  const next = join(paths.runFolder, `.status.${process.pid}.${(serial += 1)}`);
  await fs.createFile(next, `${JSON.stringify(status)}\n`, 0o644);
  await fs.rename(next, paths.statusFile);
}

export async function readLiveStatus(fs: FileSystem, paths: Paths): Promise<LiveStatus | undefined> {
  try {
    const status = JSON.parse(await fs.readFile(paths.statusFile)) as LiveStatus;
    return status.phase === 'done' || isAlive(status.pid) ? status : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function removeLiveStatus(fs: FileSystem, paths: Paths): Promise<void> {
  await fs.unlink(paths.statusFile).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}
