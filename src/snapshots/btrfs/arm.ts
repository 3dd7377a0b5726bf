/** A snapshot of the running root is made the root that boots next (invariant 4). */
import { join } from 'node:path';
import { unsyncedFiles } from '../../host/durable-files.js';
import { exists } from '../../host/exists.js';
import { mountsOf } from '../../host/mounts.js';
import type { MarkRole } from '../../update/fallback-mark.js';
import { bootMounts } from '../boot-mounts.js';
import type { ArmingOptions } from '../snapshot-provider.js';
import { ask, deleteSubvolume, subvolumeId } from './btrfs-command.js';
import { fitToBoot } from './fallback-root.js';
import type { UsableLayout } from './layout.js';
import { otherName } from './names.js';
import type { Reference } from './reference.js';
import { bootNext, switchTo, type BtrfsPorts } from './top-level.js';

/**
 * Durable when it returns. When it throws, the running root still boots next and the snapshot is gone. Nothing leads to it
 * before `when` resolves.
 */
export async function arm(
  ports: BtrfsPorts,
  top: string,
  layout: UsableLayout,
  id: string,
  { role = 'fallback', when }: ArmingOptions & { role?: MarkRole } = {},
): Promise<Reference> {
  const { fs, files, run, paths } = ports;
  const other = otherName(layout.name, id);
  const snapshot = join(top, other);
  // Of an attempt that was cut before the switch: nothing ever booted it.
  if (await exists(fs, snapshot)) await deleteSubvolume(ports, top, other);
  await ask(run, 'btrfs', 'subvolume', 'snapshot', paths.root, snapshot);
  const { by, name, nested } = layout;
  let reference: Reference | undefined;
  try {
    const otherId = subvolumeId(run, snapshot);
    otherId.catch(() => undefined); // known by the time that it is needed, or told then
    const mark = { id, provider: 'btrfs', failedRoot: by === 'name' ? other : name, role };
    const mounted = await bootMounts(ports, () => mountsOf(ports));
    const root = { path: paths.root, name, nested, bootMounts: mounted };
    // Nothing leads there before the sync.
    await fitToBoot({ fs, files: unsyncedFiles(fs), run }, root, snapshot, mark);
    reference = { by, root: name, rootId: layout.id, other, otherId: await otherId };
    await fs.syncFileSystem(top);
    await when;
    await files.replace(paths.fallbackArmed, `${other}\n`);
    // as its layout was found, the running root boots next until now
    await switchTo(ports, top, reference, 'other');
    return reference;
  } catch (error) {
    if (reference) await bootNext(ports, top, reference, 'root');
    await files.remove(paths.fallbackArmed);
    await deleteSubvolume(ports, top, other);
    throw error;
  }
}
