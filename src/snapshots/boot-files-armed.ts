/**
 * Does the copy that is armed in this root hold the files of the boot loader alone (boot-files.ts)? It is then for the first boot
 * of this root after another one, and stands in nobody's way until then. A copy of the root itself has a mark beside its script.
 */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import type { FileSystem } from '../host/file-system.js';
import type { Paths } from '../update/paths.js';

export async function areBootFilesArmed(fs: FileSystem, { copyArmed }: Paths): Promise<boolean> {
  return (await exists(fs, join(copyArmed, 'restore'))) && !(await exists(fs, join(copyArmed, 'mark')));
}
