/**
 * /boot and the EFI system partition where they are file systems of their own: no snapshot of the root holds them, and an
 * update changes them in their place. They are saved into the fallback, and put back when the update is given up, else by
 * the first boot of the fallback (units/boot-files), before anything uses them.
 *
 * GRUB reads its one configuration there: what `update-grub` wrote while the root had another name would start the
 * root that is given up, which then finds its claimed link and gives itself up (`strayed` of the update service).
 */
import { join } from 'node:path';
import { exists } from '../host/exists.js';
import { UpdateError } from '../update/errors.js';
import { pathsBelow } from '../update/paths.js';
import { save, type SavePorts } from './copy/save.js';
import { emptySelection } from './copy/selection.js';

/** Into the root at `fallback`, and armed there, which is as durable as `files` makes it: the first boot of that root puts it back. */
export async function saveBootFiles(
  ports: SavePorts,
  id: string,
  fallback: string,
  mounted: readonly string[],
): Promise<void> {
  if (mounted.length === 0) return;
  const there = pathsBelow(fallback);
  const bare = mounted.map((path) => path.slice(1));
  await save(ports, join(there.fallbacks, id), undefined, () =>
    Promise.resolve({ ...emptySelection(), copied: bare, whole: bare, mounted: bare }),
  );
  if (await exists(ports.fs, there.copyArmed)) await ports.files.remove(there.copyArmed);
  await ports.files.link(id, there.copyArmed);
}

/** From the root that is given up: the boot loader starts the fallback only by what it read before. Nothing saved is fine. */
export async function putBackBootFiles(
  { fs, run, paths }: Pick<SavePorts, 'fs' | 'run' | 'paths'>,
  fallback: string,
): Promise<void> {
  const there = pathsBelow(fallback);
  if (!(await exists(fs, there.copyArmed))) return;
  const { exitCode, stderr } = await run('sh', [join(there.copyArmed, 'restore'), paths.root]);
  if (exitCode === 0) return;
  throw new UpdateError('SNAPSHOT_FAILED', `/boot could not be put back: ${stderr.trim().slice(-2000)}`);
}
