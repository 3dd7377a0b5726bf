/** No way back: an interrupted update is rolled forward instead (invariant 5). */
import { UpdateError } from '../update/errors.js';
import type { SnapshotProvider } from './snapshot-provider.js';

const refuse = (): Promise<never> =>
  Promise.reject(new UpdateError('SNAPSHOT_UNAVAILABLE', 'this machine has no snapshot provider'));

export const noSnapshots: SnapshotProvider = {
  name: 'none',
  probe: () => Promise.resolve({ usable: false, reason: 'no snapshot provider for this root file system' }),
  armFallback: refuse,
  commit: refuse,
  revert: refuse,
  collect: () => Promise.resolve(),
  list: () => Promise.resolve([]),
  prune: () => Promise.resolve(),
};
