/** The provider for the root file system of this machine. */
import { mountOf, readMounts } from '../host/mounts.js';
import { btrfsSnapshots, type BtrfsPorts } from './btrfs/btrfs.js';
import { noSnapshots } from './none.js';
import type { SnapshotProvider } from './snapshot-provider.js';

export async function machineSnapshots(ports: BtrfsPorts): Promise<SnapshotProvider> {
  const root = mountOf(ports.paths.root, await readMounts());
  return root?.type === 'btrfs' ? btrfsSnapshots(ports) : noSnapshots;
}
