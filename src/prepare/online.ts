/**
 * What every verb of the online half works with. Made once, in the composition root of the command; tests pass fakes.
 */
import type { DurableFiles } from '../host/durable-files.js';
import type { FileSystem } from '../host/file-system.js';
import type { Lock } from '../host/lock.js';
import type { Moment } from '../update/journal.js';
import type { Paths } from '../update/paths.js';
import type { UpdateStore } from '../update/store.js';

export interface Online {
  paths: Paths;
  fs: FileSystem;
  files: DurableFiles;
  store: UpdateStore;
  moment: Moment;
  /** `waitSeconds`: for another holder, default 0. Errors: HostError `LOCK_HELD`. */
  takeLock(path: string, waitSeconds?: number): Promise<Lock>;
}
