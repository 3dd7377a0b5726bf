/** Everything that was written so far is on its disk when this resolves. */
import { readMounts } from '../host/mounts.js';
import type { Ports } from './ports.js';

/** Kernel interfaces and memory: nothing there outlives the boot. */
const withoutDisk =
  /^(proc|sysfs|tmpfs|devtmpfs|devpts|mqueue|cgroup2?|bpf|ramfs|autofs|hugetlbfs|debugfs|tracefs|configfs|securityfs|pstore|efivarfs|fusectl|binfmt_misc|nsfs|rpc_pipefs|selinuxfs)$/;

/** What a container is lent of its host (systemd's container interface): no package writes there, and the host syncs it. */
const lentByHost = /^\/run\/host(\/|$)/;

/** Invariant 3: all that the packages wrote is on the disks before anything says so (clawbox#894). */
export async function syncDisks({ fs, kernel }: Pick<Ports, 'fs' | 'kernel'>): Promise<void> {
  const mounts = await (kernel?.mounts() ?? readMounts());
  // The last mount on a target is the one to be reached there.
  const reached = [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
  const disks = reached.filter(
    ({ type, writable, target }) => writable && !withoutDisk.test(type) && !lentByHost.test(target),
  );
  // One mount of each file system will do: the first.
  const targets = new Map(disks.reverse().map(({ device, target }) => [device, target]));
  await Promise.all([...targets.values()].map((target) => fs.syncFileSystem(target)));
}
