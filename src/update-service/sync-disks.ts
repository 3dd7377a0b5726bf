/** Everything that was written so far is on its disk when this resolves. */
import { isErrno } from '../host/host-error.js';
import { mountsOf, type Mount } from '../host/mounts.js';
import { UpdateError } from '../update/errors.js';
import type { Ports } from './ports.js';

/** Kernel interfaces and memory: nothing there outlives the boot. */
const withoutDisk =
  /^(proc|sysfs|tmpfs|devtmpfs|devpts|mqueue|cgroup2?|bpf|ramfs|autofs|hugetlbfs|debugfs|tracefs|configfs|securityfs|pstore|efivarfs|fusectl|binfmt_misc|nsfs|rpc_pipefs|selinuxfs)$/;

/** What a container is lent of its host (systemd's container interface): no package writes there, and the host syncs it. */
const lentByHost = /^\/run\/host(\/|$)/;

/**
 * Invariant 3: all that the packages wrote is on the disks before anything says so (clawbox#894). A disk to which no path
 * leads any more may have been written to before: then everything is synced, by the one call that needs no path.
 */
export async function syncDisks(ports: Pick<Ports, 'fs' | 'kernel' | 'run'>): Promise<void> {
  const { fs, run } = ports;
  const mounts = await mountsOf(ports);
  const disks = mounts.filter(
    ({ type, writable, target }) => writable && !withoutDisk.test(type) && !lentByHost.test(target),
  );
  // One mount of each file system will do: the first.
  const reached = disks.filter((mount) => isReached(mount, mounts)).reverse();
  const targets = new Map(reached.map(({ device, target }) => [device, target]));
  try {
    await Promise.all([...targets.values()].map((target) => fs.syncFileSystem(target)));
    if (disks.every(({ device }) => targets.has(device))) return;
  } catch (error) {
    // It was unmounted, or hidden, since the mounts were read.
    if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
  }
  const { exitCode, stderr } = await run('sync', []);
  if (exitCode !== 0) throw new UpdateError('INTERNAL', `cannot sync: ${stderr}`);
}

/**
 * Neither hidden by a later mount on its target or above it, nor on a folder that was removed (mountinfo says so). The root is
 * above all, but is often mounted after what the initramfs had mounted.
 */
function isReached(mount: Mount, mounts: readonly Mount[]): boolean {
  const { target } = mount;
  const later = mounts.slice(mounts.indexOf(mount) + 1);
  const hides = (above: string): boolean =>
    above === target || (above !== '/' && target.startsWith(`${above}/`));
  return !target.endsWith('//deleted') && !later.some((other) => hides(other.target));
}
