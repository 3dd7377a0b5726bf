/** This machine, as a rehearsal asks about it. */
import { readBootTimes, shutdownSeconds } from '../host/boot-times.js';
import type { RunCommand } from '../host/command.js';
import { freeSpace } from '../host/disk-space.js';
import { availableMemoryBytes } from '../host/memory.js';
import { servicesUsing } from '../host/service-files.js';
import { syncSeconds } from '../host/sync-time.js';
import { runThrowAway } from '../host/throw-away.js';
import type { RehearsalMachine } from '../prepare/rehearse/rehearse.js';
import type { SnapshotProvider } from '../snapshots/snapshot-provider.js';
import type { Paths } from '../update/paths.js';

export function rehearsalMachine(
  { root, state: stateFolder }: Pick<Paths, 'root' | 'state'>,
  run: RunCommand,
  snapshots: SnapshotProvider,
): RehearsalMachine {
  return {
    obstacle: () => (root === '/' ? undefined : `${root} is not the running system`),
    runThrowAway,
    availableMemoryBytes: () => availableMemoryBytes(),
    freeBytes: async (path) => (await freeSpace(path)).bytes,
    servicesUsing: (files) => servicesUsing(files),
    async pace() {
      const [boot, shutdown, sync] = await Promise.all([
        readBootTimes(run),
        shutdownSeconds(run, '-1'),
        syncSeconds(stateFolder),
      ]);
      return { boot, shutdownSeconds: shutdown, syncSeconds: sync };
    },
    async fallback({ policy }) {
      if (policy.snapshot === 'off') return { keepsOldFiles: false, isWhole: false, sparesSyncs: false };
      const { usable, copiedBytes } = await snapshots.probe(policy.withoutSnapshots);
      // update-service/syncs.ts: spared while all that is written can be thrown away
      const isWhole = usable && copiedBytes === undefined;
      return { keepsOldFiles: usable, isWhole, sparesSyncs: isWhole && policy.packageSyncs === 'auto' };
    },
  };
}
