/**
 * The way back on btrfs (docs/fallback.md): a snapshot of the running root is made the root that boots next before the
 * first change, in one atomic step, and only a proven success is switched back to (DESIGN, invariant 4).
 *
 * Errors: `SNAPSHOT_UNAVAILABLE` where the layout does not allow it, `SNAPSHOT_FAILED` when a step fails.
 */
import { join } from 'node:path';
import type { DurableFiles } from '../../host/durable-files.js';
import { exists } from '../../host/exists.js';
import { mountOf, readMounts, type Mount } from '../../host/mounts.js';
import { UpdateError } from '../../update/errors.js';
import { readMark } from '../../update/fallback-mark.js';
import { pathsBelow } from '../../update/paths.js';
import { carryEvidence } from '../evidence.js';
import { bootMounts, putBackBootFiles } from '../boot-files.js';
import type { Fallback, SnapshotProvider } from '../snapshot-provider.js';
import { mendGrub } from './boot-loader.js';
import { ask, atTopLevel, defaultSubvolume, deleteSubvolume, subvolumeId } from './btrfs-command.js';
import { fitToBoot } from './fallback-root.js';
import { analyseLayout, type Layout } from './layout.js';
import { layoutOfMachine, type LayoutPorts } from './machine-layout.js';
import { otherName, updateOf } from './names.js';
import { parseReference, referenceText, type Reference } from './reference.js';

export interface BtrfsPorts extends LayoutPorts {
  files: DurableFiles;
}

export function btrfsSnapshots(ports: BtrfsPorts): SnapshotProvider {
  const { paths, fs, files, run } = ports;
  const mounts = (): Promise<Mount[]> => ports.kernel?.mounts() ?? readMounts();

  /** How `/` is mounted right now: exchanged names are told as they are. */
  const running = async (): Promise<{ device: string; name: string; id: number }> => {
    const root = mountOf(paths.root, await mounts());
    const id = Number(root?.options.findLast((option) => option.startsWith('subvolid='))?.slice(9));
    // With no word on how it boots, the analysis tells what is mounted.
    const layout = analyseLayout({ root, kernelCommandLine: [], fstab: '', defaultSubvolume: id });
    if (layout.by === 'nothing') throw new UpdateError('SNAPSHOT_UNAVAILABLE', layout.reason);
    return layout;
  };
  const within = async <T>(action: (top: string, root: { name: string; id: number }) => Promise<T>) => {
    const root = await running();
    return atTopLevel({ run, fs, runFolder: paths.runFolder }, root.device, (top) => action(top, root));
  };
  const bootNext = async (top: string, reference: Reference, which: 'root' | 'other'): Promise<void> => {
    if (reference.by === 'default') {
      const id = which === 'root' ? reference.rootId : reference.otherId;
      await ask(run, 'btrfs', 'subvolume', 'set-default', String(id), top);
    } else {
      const boots = await subvolumeId(run, join(top, reference.root));
      const wanted = which === 'root' ? reference.rootId : reference.otherId;
      if (boots !== wanted) await files.exchange(join(top, reference.root), join(top, reference.other));
    }
    await fs.syncFileSystem(top);
  };
  const arm = async (top: string, id: string, layout: Exclude<Layout, { by: 'nothing' }>) => {
    const other = otherName(layout.name, id);
    const snapshot = join(top, other);
    // Of an attempt that was cut before the switch: nothing ever booted it.
    if (await exists(fs, snapshot)) await deleteSubvolume(run, top, other);
    await ask(run, 'btrfs', 'subvolume', 'snapshot', paths.root, snapshot);
    const reference: Reference = {
      by: layout.by,
      root: layout.name,
      rootId: layout.id,
      other,
      otherId: await subvolumeId(run, snapshot),
    };
    try {
      const failedRoot = layout.by === 'name' ? other : layout.name;
      const mark = { id, provider: 'btrfs', failedRoot };
      const root = { path: paths.root, name: layout.name, bootMounts: await bootMounts(ports, mounts) };
      await fitToBoot({ fs, files, run }, root, snapshot, mark);
      await fs.syncFileSystem(top);
      await files.replace(paths.fallbackArmed, `${other}\n`);
      await bootNext(top, reference, 'other');
    } catch (error) {
      await bootNext(top, reference, 'root');
      await files.remove(paths.fallbackArmed);
      await deleteSubvolume(run, top, other);
      throw error;
    }
    return reference;
  };
  /** Ours, but neither what runs nor what boots by default: the newest first. */
  const own = async (top: string, root: { name: string }) => {
    const boots = await defaultSubvolume(run, top);
    const found: { name: string; isFallback: boolean; id: number }[] = [];
    for (const name of (await fs.readFolder(top)).reverse()) {
      if (updateOf(name) === undefined || name === root.name) continue;
      const id = await subvolumeId(run, join(top, name));
      const isFallback = await exists(fs, pathsBelow(join(top, name)).fallbackMark);
      if (id !== boots) found.push({ name, isFallback, id });
    }
    return found.sort((a, b) => ((updateOf(a.name) ?? '') < (updateOf(b.name) ?? '') ? 1 : -1));
  };

  return {
    name: 'btrfs',

    async probe() {
      const layout = await layoutOfMachine(ports);
      if (layout.by === 'nothing') return { usable: false, reason: layout.reason };
      const how = layout.by === 'name' ? `boots as subvol=${layout.name}` : 'boots as the default subvolume';
      const saved = (await bootMounts(ports, mounts))
        .map((place) => `, ${place} is saved and put back`)
        .join('');
      return { usable: true, reason: `a btrfs snapshot of / ${how} until the update is proven${saved}` };
    },

    async armFallback(id) {
      const layout = await layoutOfMachine(ports);
      if (layout.by === 'nothing') throw new UpdateError('SNAPSHOT_UNAVAILABLE', layout.reason);
      const mark = await readMark(fs, paths.fallbackMark);
      if (mark) {
        const message = `this root is the fallback of update ${mark.id}, whose verdict is not written yet`;
        throw new UpdateError('SNAPSHOT_UNAVAILABLE', message);
      }
      const reference = await within((top) => arm(top, id, layout));
      const [inPlace] = await bootMounts(ports, mounts);
      return {
        provider: 'btrfs',
        reference: referenceText(reference),
        ...(inPlace !== undefined && { inPlace }),
      };
    },

    async commit(fallback) {
      const reference = parseReference(fallback);
      if (reference.by === 'name')
        await mendGrub({ fs, files, root: paths.root }, reference.other, reference.root);
      await within((top) => bootNext(top, reference, 'root'));
      await files.remove(paths.fallbackArmed);
    },

    async revert(fallback, id) {
      const reference = parseReference(fallback);
      await within(async (top) => {
        await bootNext(top, reference, 'other');
        const old = reference.by === 'name' ? reference.root : reference.other;
        await carryEvidence({ fs, files }, id, paths, pathsBelow(join(top, old)));
        await fs.syncFileSystem(top);
        await putBackBootFiles(ports, join(top, old));
      });
    },

    async collect({ id, failedRoot }) {
      await within(async (top) => {
        const failed = join(top, failedRoot);
        if (await exists(fs, failed)) await carryEvidence({ fs, files }, id, pathsBelow(failed), paths);
      });
    },

    async list() {
      return within(async (top, root): Promise<Fallback[]> => {
        const by = (await defaultSubvolume(run, top)) === root.id ? 'default' : 'name';
        const fallbacks = (await own(top, root)).filter(({ isFallback }) => isFallback);
        return fallbacks.map(({ name, id }) => ({
          provider: 'btrfs',
          reference: referenceText({ by, root: root.name, rootId: root.id, other: name, otherId: id }),
        }));
      });
    },

    async prune(keep) {
      await within(async (top, root) => {
        const all = await own(top, root);
        const spent = all.filter(({ isFallback }) => isFallback).slice(keep);
        for (const { name } of [...all.filter(({ isFallback }) => !isFallback), ...spent]) {
          await deleteSubvolume(run, top, name);
        }
      });
    },
  };
}
