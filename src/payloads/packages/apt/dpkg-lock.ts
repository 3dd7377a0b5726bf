/**
 * Who holds dpkg's locks? They are fcntl(2) locks, which Node cannot take; the kernel lists them in /proc/locks.
 * dpkg itself does not wait for them, and an apt-get that was killed leaves its dpkg working behind, so we wait
 * here before we judge or repair anything.
 *
 * Errors: `BUSY`, naming the holder, when it has done nothing for `lockTimeoutSeconds`. A holder that works is waited
 * for without limit: it may be our own dpkg.
 */
import { join } from 'node:path';
import type { Activity } from '../../../host/cgroup-activity.js';
import type { Entry, FileSystem } from '../../../host/file-system.js';
import { ifThere } from '../../../host/if-there.js';
import { UpdateError } from '../../../update/errors.js';
import { stallWatch } from './stall-watch.js';

export interface LockHolder {
  pid: number;
  /** As the kernel names it, e.g. `dpkg`. */
  command: string;
  lock: string;
}

export interface LockPorts {
  files: FileSystem;
  root: string;
  readActivity(pid: number): Promise<Activity>;
  clock(): number;
}

const locks = ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock'];
/** The kernel tells nobody when a lock is let go. */
const lookEveryMilliseconds = 100;
const freshMilliseconds = 1000;

export interface LockLook {
  holder: Promise<LockHolder | undefined>;
  /** On the ports' clock. */
  atMilliseconds: number;
}

/** Begun some moments before it is waited for: the kernel takes some 10 ms to list its locks. */
export function lookAtDpkgLock(ports: LockPorts): LockLook {
  return { holder: dpkgLockHolder(ports.files, ports.root), atMilliseconds: ports.clock() };
}

/** `ahead`: a look that is believed as long as it is fresh. */
export async function waitForDpkgLock(
  ports: LockPorts,
  lockTimeoutSeconds: number,
  ahead?: LockLook,
): Promise<void> {
  const isFresh = ahead && ports.clock() - ahead.atMilliseconds < freshMilliseconds;
  const watch = stallWatch(lockTimeoutSeconds, () => ports.clock());
  for (let look = isFresh ? ahead : lookAtDpkgLock(ports); ; look = lookAtDpkgLock(ports)) {
    const holder = await look.holder;
    if (!holder) return;
    watch.activity(await ports.readActivity(holder.pid));
    if (watch.verdict()) {
      throw new UpdateError(
        'BUSY',
        `${holder.lock} is held by process ${holder.pid} (${holder.command}), ` +
          `which has done nothing for ${lockTimeoutSeconds} s`,
        { hint: `ps -fp ${holder.pid}` },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMilliseconds));
  }
}

export async function dpkgLockHolder(files: FileSystem, root: string): Promise<LockHolder | undefined> {
  const table = await files.readFile('/proc/locks').catch(() => '');
  for (const lock of locks) {
    const entry = await ifThere(files.stat(join(root, lock)));
    if (entry === undefined) continue;
    // not by device: btrfs and overlayfs show another number here than stat(2) does
    for (const pid of writersOf(table, entry.inode)) {
      if (!(await hasOpen(files, pid, entry))) continue;
      const command = (await files.readFile(`/proc/${pid}/comm`).catch(() => 'unknown')).trim();
      return { pid, command, lock };
    }
  }
  return undefined;
}

/** Pids of those that hold (not wait for) a write lock on this inode. */
export function writersOf(table: string, inode: number): number[] {
  const row = /^\d+: (?:POSIX|OFDLCK) +\w+ +WRITE +(-?\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /;
  return table.split('\n').flatMap((line) => {
    const [, pid, found] = row.exec(line) ?? [];
    return Number(found) === inode && Number(pid) > 0 ? [Number(pid)] : [];
  });
}

/** By whatever path: /var may be a link. */
async function hasOpen(files: FileSystem, pid: number, { device, inode }: Entry): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await files.readFolder(folder).catch(() => []);
  const open = await Promise.all(names.map((name) => files.stat(join(folder, name)).catch(() => undefined)));
  return open.some((entry) => entry?.device === device && entry.inode === inode);
}
