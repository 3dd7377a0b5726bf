/** Units that are started together with a target, by a link beside it (systemd.unit(5), `.wants/` and `.requires/`). */
import type { PreflightContext } from '../context.js';
import { unitFolders } from '../unit-lookup.js';
import { systemFolder } from './system-file.js';

/** Their names, sorted. */
export async function pulledInBy(
  target: string,
  context: Pick<PreflightContext, 'fs' | 'paths'>,
): Promise<string[]> {
  const folders = unitFolders.flatMap((folder) => [
    `${folder}/${target}.wants`,
    `${folder}/${target}.requires`,
  ]);
  const names = await Promise.all(folders.map((folder) => systemFolder(context, folder)));
  return [...new Set(names.flat())].sort();
}
