/**
 * The new stage takes the place of the former one. One step where the system can exchange two names (`mv --exchange`
 * of coreutils 9.5, RENAME_EXCHANGE of the file system); else two renames, between which `mendStage` puts the former
 * stage back. The new stage must be on the disk before (one sync of the file system).
 */
import { isErrno, isHostError } from '../host/host-error.js';
import type { Online } from './online.js';

export async function swapStages({
  fs,
  files,
  paths,
}: Pick<Online, 'fs' | 'files' | 'paths'>): Promise<void> {
  try {
    await fs.lstat(paths.stage);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    await files.rename(paths.nextStage, paths.stage);
    return;
  }
  try {
    await files.exchange(paths.nextStage, paths.stage);
  } catch (error) {
    if (!isHostError(error, 'EXCHANGE_UNSUPPORTED')) throw error;
    await files.rename(paths.stage, paths.formerStage);
    await files.rename(paths.nextStage, paths.stage);
    await files.removeTree(paths.formerStage);
    return;
  }
  await files.removeTree(paths.nextStage);
}
