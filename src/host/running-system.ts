/**
 * What of the running system is older than what lies on the disk. "This boot" begins with PID 1, which is the same
 * process until the machine starts anew: a soft-reboot or a daemon-reexec keeps it, and in a container it is the container's.
 */
import type { Stats } from 'node:fs';
import { lstat, readFile, readlink } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { ifThere } from './if-there.js';
import { isErrno } from './host-error.js';
import { isContainer } from './kernel-command-line.js';
import { readProcessStat } from './process-tree.js';

export interface RunningSystem {
  /** Undefined in a container, whose kernel is not its own. */
  kernelRelease: string | undefined;
  /** Programs and libraries that PID 1 runs, and that were replaced or removed since; nothing where we may not look. */
  replacedUnderPid1: string[];
  /**
   * Whether the file (a link itself) was made, replaced, written to or renamed since this boot began, by its ctime,
   * which a package's own time stamps do not touch; on vfat, whether it was made there since. False for what is not there.
   */
  isChangedInThisBoot(path: string): Promise<boolean>;
}

/** Of start times in /proc; the same on every architecture that systemd runs on (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100;

export async function readRunningSystem(
  proc = '/proc',
  now = Date.now(),
  look: (path: string) => Promise<Pick<Stats, 'ctimeMs' | 'birthtimeMs'>> = lstat,
): Promise<RunningSystem> {
  const [init, uptime] = await Promise.all([
    readProcessStat(1, proc),
    readFile(join(proc, 'uptime'), 'utf8'),
  ]);
  // By the clock as it is now: one that was put right since has moved the beginning along.
  const began = now + ((init?.startTime ?? NaN) / TICKS_PER_SECOND - Number(uptime.split(' ')[0])) * 1000;
  if (Number.isNaN(began)) throw new Error(`${proc} does not tell when this boot began`);
  return {
    kernelRelease: isContainer() ? undefined : release(),
    replacedUnderPid1: await replacedFiles(join(proc, '1')),
    async isChangedInThisBoot(path) {
      const found = await ifThere(look(path));
      // vfat (an EFI system partition) keeps no ctime: Linux tells the mtime in its place, which cp -p and dpkg set. When
      // the file was made there is kept (since Linux 6.0); 0 where a file system has no such time.
      return found !== undefined && Math.max(found.ctimeMs, found.birthtimeMs) > began;
    },
  };
}

const DELETED = ' (deleted)';

/** Sorted. Memory without a file, which looks the same (`/memfd:x`, `/dev/zero`), is left out. */
async function replacedFiles(process: string): Promise<string[]> {
  try {
    const [program, maps] = await Promise.all([
      readlink(join(process, 'exe')),
      readFile(join(process, 'maps'), 'utf8'),
    ]);
    const paths = [program, ...maps.split('\n').map((line) => line.slice(Math.max(line.indexOf('/'), 0)))];
    const gone = paths.filter((path) => path.endsWith(DELETED) && /^\/(usr|lib\w*|s?bin|opt)\//.test(path));
    return [...new Set(gone.map((path) => path.slice(0, -DELETED.length)))].sort();
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return [];
    throw error;
  }
}
