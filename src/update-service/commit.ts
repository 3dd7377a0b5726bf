/**
 * From here on the updated system is the one that boots. The row comes before the switch: an updated root without it
 * never boots, and a cut between the two boots the fallback, where the row is known as what it is.
 */
import { readMounts } from '../host/mounts.js';
import type { FileSystem } from '../host/file-system.js';
import type { Attempt } from './attempt.js';

export async function commit({ ports, update, plan, number, fallback }: Attempt): Promise<void> {
  for (const leftover of await ports.payload.leftovers(plan.payload)) {
    await update.journal.append({ note: 'conffile', ...leftover });
  }
  await syncDisks(ports.fs);
  await update.journal.append({ event: 'installed', attempt: number });
  if (fallback) await ports.snapshots.commit(fallback);
}

/** Kernel interfaces and memory: nothing there outlives the boot. */
const withoutDisk =
  /^(proc|sysfs|tmpfs|devtmpfs|devpts|mqueue|cgroup2?|bpf|ramfs|autofs|hugetlbfs|debugfs|tracefs|configfs|securityfs|pstore|efivarfs|fusectl|binfmt_misc|nsfs|rpc_pipefs|selinuxfs)$/;

/** Invariant 3: all that the packages wrote is on the disks before anything says so (clawbox#894). */
async function syncDisks(fs: FileSystem): Promise<void> {
  const mounts = await readMounts();
  const disks = mounts.filter(({ type, writable }) => writable && !withoutDisk.test(type));
  await Promise.all(
    [...new Set(disks.map(({ target }) => target))].map((target) => fs.syncFileSystem(target)),
  );
}
