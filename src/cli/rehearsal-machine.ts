/** This machine, as a rehearsal asks about it. */
import { freeSpace } from '../host/disk-space.js';
import { availableMemoryBytes } from '../host/memory.js';
import { servicesUsing } from '../host/service-files.js';
import { runThrowAway } from '../host/throw-away.js';
import type { RehearsalMachine } from '../prepare/rehearse/rehearse.js';
import type { SnapshotProvider } from '../snapshots/snapshot-provider.js';

export function rehearsalMachine(root: string, snapshots: SnapshotProvider): RehearsalMachine {
  return {
    obstacle: () => (root === '/' ? undefined : `${root} is not the running system`),
    runThrowAway,
    availableMemoryBytes: () => availableMemoryBytes(),
    freeBytes: async (path) => (await freeSpace(path)).bytes,
    servicesUsing: (files) => servicesUsing(files),
    keepsOldFiles: async ({ policy }) => policy.snapshot !== 'off' && (await snapshots.probe()).usable,
  };
}
