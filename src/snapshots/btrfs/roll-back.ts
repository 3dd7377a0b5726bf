/**
 * From a running system to a kept fallback. All steps but the last leave the running root the one that boots next; the
 * last one is atomic, as that of `armFallback`.
 */
import { join } from 'node:path';
import { mountsOf } from '../../host/mounts.js';
import { UpdateError } from '../../update/errors.js';
import { markText, readMark } from '../../update/fallback-mark.js';
import { heldUpdates } from '../../update/held.js';
import { pathsBelow } from '../../update/paths.js';
import { putBackBootFiles, saveBootFiles } from '../boot-files.js';
import { bootMounts } from '../boot-mounts.js';
import { mendGrub } from './boot-loader.js';
import { subvolumeId } from './btrfs-command.js';
import type { UsableLayout } from './layout.js';
import { otherName } from './names.js';
import type { Reference } from './reference.js';
import { bootNext, type BtrfsPorts } from './top-level.js';

/** `fallback`: of `list`. The present root stays as a fallback of the id `keepAs`. Errors: `SNAPSHOT_FAILED`. */
export async function rollBack(
  ports: BtrfsPorts,
  top: string,
  layout: UsableLayout,
  { other: name, otherId }: Reference,
  keepAs: string,
): Promise<void> {
  const { fs, files, paths, run } = ports;
  const path = join(top, name);
  if ((await subvolumeId(run, path)) !== otherId) {
    throw new UpdateError('SNAPSHOT_FAILED', `${name} is not the fallback that it was a moment ago`);
  }
  const target = pathsBelow(path);
  const id = (await readMark(fs, target.fallbackMark))?.id ?? keepAs;
  const holds = await heldUpdates(fs, target);
  const other = layout.by === 'name' ? otherName(layout.name, keepAs) : name;
  const left = layout.by === 'name' ? other : layout.name;
  await mendGrub({ fs, files, root: path }, name, layout.name);
  await files.replace(
    target.fallbackMark,
    markText({
      id,
      provider: 'btrfs',
      failedRoot: left,
      role: 'rollback',
      rollback: keepAs,
      holds,
      rootId: otherId,
    }),
    0o644,
  );
  const mark = { id: keepAs, provider: 'btrfs', failedRoot: name, role: 'kept', rootId: layout.id } as const;
  await files.makeFolder(paths.state, 0o755);
  await files.replace(paths.fallbackMark, markText(mark), 0o644);
  try {
    const mounted = await bootMounts(ports, () => mountsOf(ports));
    await saveBootFiles(ports, keepAs, paths.root, mounted);
    // So that the name tells what is under it after the exchange.
    if (other !== name) await files.rename(path, join(top, other));
    await fs.syncFileSystem(top);
    await bootNext(
      ports,
      top,
      { by: layout.by, root: layout.name, rootId: layout.id, other, otherId },
      'other',
    );
  } catch (error) {
    await files.remove(paths.fallbackMark);
    throw error;
  }
  // The target boots next in any case. Where /boot cannot be put back now (a package manager is at work), its first boot
  // does it: units/boot-files.
  await putBackBootFiles(ports, join(top, layout.by === 'name' ? layout.name : other)).catch(() => undefined);
}
