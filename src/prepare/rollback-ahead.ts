/**
 * Does the next boot go back: by a rollback, or since an update was given up? A root that is left (btrfs) is marked so; for a
 * copy see update/copy-ahead.ts.
 */
import type { FileSystem } from '../host/file-system.js';
import { copyAhead, type CopyAhead } from '../update/copy-ahead.js';
import { UpdateError } from '../update/errors.js';
import { readMark } from '../update/fallback-mark.js';
import type { Paths } from '../update/paths.js';

export interface RollbackAhead {
  /** What becomes of the running system until then, in words. */
  means: string;
}

interface Ports {
  fs: FileSystem;
  paths: Paths;
}

export async function rollbackAhead({ fs, paths }: Ports): Promise<RollbackAhead | undefined> {
  if ((await readMark(fs, paths.fallbackMark))?.role === 'kept')
    return { means: 'another root boots next, by a rollback: what is changed here stays here' };
  const copy = await copyAhead({ fs, paths });
  return copy && { means: meansOf(copy) };
}

function meansOf({ isBegun, isUnhealthy }: CopyAhead): string {
  if (isBegun) return 'the next boot goes on to put back a copy: until then the system may be half of each';
  return isUnhealthy
    ? 'the next boot puts back a copy, since the machine is not healthy after the update'
    : 'the next boot puts back a copy, by a rollback, unless packages are changed before: offline-update cancel takes it back';
}

/** Before links or stage are taken away. Errors: `WRONG_STATE` where a link leads to what makes the system whole. */
export async function refuseHalfBack(ports: Ports): Promise<void> {
  if (!(await copyAhead(ports))?.isBegun) return;
  throw new UpdateError('WRONG_STATE', 'a copy is half put back; the next boot goes on with it', {
    hint: 'systemctl reboot',
  });
}
