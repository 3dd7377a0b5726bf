/**
 * Finishes an exchange of the stages that a power cut or a kill interrupted, where it had to be done in two renames:
 * with the stage gone the former one comes back; with a stage there the former one has had its time.
 */
import { isErrno } from '../host/host-error.js';
import type { Online } from './online.js';

export async function mendStage({ fs, files, paths }: Pick<Online, 'fs' | 'files' | 'paths'>): Promise<void> {
  const isThere = async (path: string): Promise<boolean> => {
    try {
      await fs.lstat(path);
      return true;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
  };
  if (!(await isThere(paths.formerStage))) return;
  if (await isThere(paths.stage)) await files.removeTree(paths.formerStage);
  else await files.rename(paths.formerStage, paths.stage);
}
