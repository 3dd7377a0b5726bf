/**
 * Where snapper keeps its snapshots in the root itself, as `snapper create-config /` makes it, they are a subvolume in
 * the subvolume that is switched: a fallback does not hold them. They follow the root that boots, by one rename(2),
 * which btrfs allows for a subvolume across its parents.
 */
import { join } from 'node:path';
import { exists } from '../../host/exists.js';
import type { BtrfsPorts } from './top-level.js';

export const SNAPPER_FOLDER = '/.snapshots';

/** `from` and `to`: folders of two roots below the mounted top level. Nothing is done where `to` has one of its own. */
export async function moveSnapperFolder({ fs, files }: BtrfsPorts, from: string, to: string): Promise<void> {
  const [source, target] = [join(from, SNAPPER_FOLDER), join(to, SNAPPER_FOLDER)];
  if (!(await exists(fs, source)) || (await exists(fs, target))) return;
  await files.rename(source, target);
}
