/**
 * Does the next boot go back, by a rollback, or since an update was given up? A root that is left (btrfs) is marked so. A copy is put back by a boot that finds
 * it armed and a claimed link; beside an update that is open the two are of that update's own way back.
 */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { ifThere } from '../host/if-there.js';
import { UpdateError } from '../update/errors.js';
import { readMark } from '../update/fallback-mark.js';
import type { Paths } from '../update/paths.js';
import { readTriggers } from '../update/trigger-link.js';

export interface RollbackAhead {
  by: 'root' | 'copy';
  /** The system may be half of each, and only the boot that goes on with the copy makes it whole. */
  isBegun: boolean;
  /** What becomes of the running system until then, in words. */
  means: string;
}

export async function rollbackAhead(ports: {
  fs: FileSystem;
  paths: Paths;
}): Promise<RollbackAhead | undefined> {
  const { fs, paths } = ports;
  if ((await readMark(fs, paths.fallbackMark))?.role === 'kept')
    return {
      by: 'root',
      isBegun: false,
      means: 'another root boots next, by a rollback: what is changed here stays here',
    };
  if (await exists(fs, paths.open)) return undefined;
  const triggers = await readTriggers(fs, paths.triggers);
  if (!triggers.some(({ claimed }) => claimed.kind === 'ours') || !(await isCopyArmed(ports)))
    return undefined;
  const isBegun = await isCopyBegun(ports);
  return {
    by: 'copy',
    isBegun,
    means: isBegun
      ? 'the next boot goes on to put back a copy: until then the system may be half of each'
      : 'the next boot puts back a copy, by a rollback, unless packages are changed before: offline-update cancel takes it back',
  };
}

/** Before the links of ours are taken away. Errors: `WRONG_STATE` where one of them leads to what makes the system whole. */
export async function refuseHalfBack(ports: { fs: FileSystem; paths: Paths }): Promise<void> {
  if (!(await rollbackAhead(ports))?.isBegun) return;
  throw new UpdateError('WRONG_STATE', 'a copy is half put back; the next boot goes on with it', {
    hint: 'systemctl reboot',
  });
}

/** As units/rescue tells it: that of an update that was given up, or of a rollback that was cut. */
async function isCopyBegun({ fs, paths }: { fs: FileSystem; paths: Paths }): Promise<boolean> {
  try {
    const id = await ifThere(fs.readLink(paths.copyArmed));
    if (id === undefined) return false;
    const copy = join(paths.fallbacks, id);
    return !(await exists(fs, join(copy, 'committed'))) || (await exists(fs, join(copy, 'begun')));
  } catch (error) {
    if (isErrno(error, 'EACCES')) return false; // others cannot cancel it either
    throw error;
  }
}

/** Others than root may not look; a claimed link beside no open update is nothing else. */
async function isCopyArmed({ fs, paths }: { fs: FileSystem; paths: Paths }): Promise<boolean> {
  try {
    return await exists(fs, paths.copyArmed);
  } catch (error) {
    if (isErrno(error, 'EACCES')) return true;
    throw error;
  }
}
