/** Roots whose own snapshots could be a way back and are not one here (docs/fallback.md): told by name, never half used. */
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import type { Mount } from '../host/mounts.js';
import { noSnapshots } from './none.js';
import type { SnapshotProvider } from './snapshot-provider.js';

/** `root`: the mount of the running root. `sysfs`: tests say otherwise. */
export async function withoutSnapshots(
  fs: FileSystem,
  root: Mount | undefined,
  sysfs = '/sys',
): Promise<SnapshotProvider> {
  const reason = await reasonOf(fs, root, sysfs);
  return { ...noSnapshots, probe: () => Promise.resolve({ usable: false, reason }) };
}

async function reasonOf(fs: FileSystem, root: Mount | undefined, sysfs: string): Promise<string> {
  if (!root) return 'the mount of / cannot be seen';
  if (root.type === 'zfs') return `/ is the ZFS dataset ${root.source}, whose snapshots are not supported`;
  const lvm = root.source.startsWith('/dev/') && (await logicalVolume(fs, root.source, sysfs));
  return lvm
    ? `/ is ${root.type} on the logical volume ${root.source}, and LVM snapshots are not supported`
    : `${root.type} has no snapshots`;
}

/** Thin and classic alike: device-mapper knows each logical volume by a uuid that begins with `LVM-`. */
async function logicalVolume(fs: FileSystem, device: string, sysfs: string): Promise<boolean> {
  const name = device.slice('/dev/mapper/'.length);
  const block = join(sysfs, 'class/block');
  try {
    for (const each of await fs.readFolder(block)) {
      const dm = join(block, each, 'dm');
      if (!each.startsWith('dm-') || !(await textOf(fs, join(dm, 'uuid'))).startsWith('LVM-')) continue;
      if (device === `/dev/${each}` || name === (await textOf(fs, join(dm, 'name')))) return true;
    }
  } catch {
    // No sysfs, no device-mapper: then the file system alone is what is known.
  }
  return false;
}

async function textOf(fs: FileSystem, path: string): Promise<string> {
  return (await fs.readFile(path)).trim();
}
