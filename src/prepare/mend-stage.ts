/**
 * Finishes an exchange of the stages that a power cut or a kill interrupted, where it had to be done in two renames:
 * with the stage gone the former one comes back; with a stage there the former one has had its time.
 */
import { exists } from '../host/exists.js';
import type { Online } from './online.js';

export async function mendStage({ fs, files, paths }: Pick<Online, 'fs' | 'files' | 'paths'>): Promise<void> {
  if (!(await exists(fs, paths.formerStage))) return;
  if (await exists(fs, paths.stage)) await files.removeTree(paths.formerStage);
  else await files.rename(paths.formerStage, paths.stage);
}
