/**
 * Does the next boot go back, by a rollback? A root that is left (btrfs) is marked so. A copy is put back by a boot that finds
 * it armed and a claimed link; beside an update that is open the two are of that update's own way back.
 */
import { exists } from '../host/exists.js';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { readMark } from '../update/fallback-mark.js';
import type { Paths } from '../update/paths.js';
import { readTriggers } from '../update/trigger-link.js';

export interface RollbackAhead {
  by: 'root' | 'copy';
  /** What becomes of the running system until then, in words. */
  means: string;
}

export async function rollbackAhead(ports: {
  fs: FileSystem;
  paths: Paths;
}): Promise<RollbackAhead | undefined> {
  const { fs, paths } = ports;
  if ((await readMark(fs, paths.fallbackMark))?.role === 'kept')
    return { by: 'root', means: 'another root boots next, by a rollback: what is changed here stays here' };
  if (await exists(fs, paths.open)) return undefined;
  const triggers = await readTriggers(fs, paths.triggers);
  if (!triggers.some(({ claimed }) => claimed.kind === 'ours') || !(await isCopyArmed(ports)))
    return undefined;
  return {
    by: 'copy',
    means:
      'the next boot puts back a copy, by a rollback, unless packages are changed before: offline-update cancel takes it back',
  };
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
