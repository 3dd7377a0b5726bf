/** The provider for the root file system of this machine. */
import { mountOf, readMounts } from '../host/mounts.js';
import { btrfsSnapshots, type BtrfsPorts } from './btrfs/btrfs.js';
import { copySnapshots } from './copy/copy.js';
import type { SnapshotProvider } from './snapshot-provider.js';
import { withoutSnapshots } from './unsupported.js';
import { withCopy } from './with-copy.js';

export async function machineSnapshots(ports: BtrfsPorts): Promise<SnapshotProvider> {
  const { paths, fs, files, run } = ports;
  const root = mountOf(paths.root, await readMounts());
  const snapshots = root?.type === 'btrfs' ? btrfsSnapshots(ports) : await withoutSnapshots(fs, root);
  return withCopy(snapshots, copySnapshots({ paths, fs, files, run }));
}
