/** The running root as its file system names it, and the top level where those names are. */
import type { DurableFiles } from '../../host/durable-files.js';
import { mountOf, mountsOf } from '../../host/mounts.js';
import { UpdateError } from '../../update/errors.js';
import { join } from 'node:path';
import { ask, atTopLevel, subvolumeId } from './btrfs-command.js';
import { analyseLayout } from './layout.js';
import type { LayoutPorts } from './machine-layout.js';
import type { Reference } from './reference.js';

export interface BtrfsPorts extends LayoutPorts {
  files: DurableFiles;
}

export interface RunningRoot {
  device: string;
  name: string;
  id: number;
}

/** How `/` is mounted right now: exchanged names are told as they are. Errors: `SNAPSHOT_UNAVAILABLE`. */
async function runningRoot(ports: BtrfsPorts): Promise<RunningRoot> {
  const root = mountOf(ports.paths.root, await mountsOf(ports));
  const id = Number(root?.options.findLast((option) => option.startsWith('subvolid='))?.slice(9));
  // With no word on how it boots, the analysis tells what is mounted.
  const layout = analyseLayout({ root, kernelCommandLine: [], fstab: '', defaultSubvolume: id });
  if (layout.by === 'nothing') throw new UpdateError('SNAPSHOT_UNAVAILABLE', layout.reason);
  return layout;
}

/** `top` is where the top level is mounted while `action` runs. */
export async function withTopLevel<T>(
  ports: BtrfsPorts,
  action: (top: string, root: RunningRoot) => Promise<T>,
): Promise<T> {
  const root = await runningRoot(ports);
  const { run, fs, paths } = ports;
  return atTopLevel({ run, fs, runFolder: paths.runFolder }, root.device, (top) => action(top, root));
}

/** One atomic step, and synced; nothing to do when it boots next already. */
export async function bootNext(
  ports: BtrfsPorts,
  top: string,
  reference: Reference,
  which: 'root' | 'other',
): Promise<void> {
  if (await bootsNext(ports, top, reference, which)) await ports.fs.syncFileSystem(top);
  else await switchTo(ports, top, reference, which);
}

/** Looked at only where to switch twice would be to switch back. */
export async function bootsNext(
  { run }: BtrfsPorts,
  top: string,
  { by, root, rootId, otherId }: Reference,
  which: 'root' | 'other',
): Promise<boolean> {
  return by === 'name' && (await subvolumeId(run, join(top, root))) === (which === 'root' ? rootId : otherId);
}

/** As `bootNext`, for who knows that the other one of the two boots next now. */
export async function switchTo(
  { run, fs }: BtrfsPorts,
  top: string,
  { by, root, rootId, other, otherId }: Reference,
  which: 'root' | 'other',
): Promise<void> {
  if (by === 'name') await fs.exchange(join(top, root), join(top, other));
  else await ask(run, 'btrfs', 'subvolume', 'set-default', String(which === 'root' ? rootId : otherId), top);
  await fs.syncFileSystem(top);
}
