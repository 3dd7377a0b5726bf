/** Everything that was written so far is on its disk when this resolves. */
import { readMounts } from '../host/mounts.js';
import type { Ports } from './ports.js';

/** Kernel interfaces and memory: nothing there outlives the boot. */
const withoutDisk =
  /^(proc|sysfs|tmpfs|devtmpfs|devpts|mqueue|cgroup2?|bpf|ramfs|autofs|hugetlbfs|debugfs|tracefs|configfs|securityfs|pstore|efivarfs|fusectl|binfmt_misc|nsfs|rpc_pipefs|selinuxfs)$/;

/** Invariant 3: all that the packages wrote is on the disks before anything says so (clawbox#894). */
export async function syncDisks({ fs, kernel }: Pick<Ports, 'fs' | 'kernel'>): Promise<void> {
  const mounts = await (kernel?.mounts() ?? readMounts());
  const disks = mounts.filter(({ type, writable }) => writable && !withoutDisk.test(type));
  await Promise.all(
    [...new Set(disks.map(({ target }) => target))].map((target) => fs.syncFileSystem(target)),
  );
}
