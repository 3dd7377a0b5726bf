/**
 * The way back on btrfs (docs/fallback.md): a snapshot of the running root is made the root that boots next before the
 * first change, in one atomic step, and only a proven success is switched back to (invariant 4).
 *
 * Errors: `SNAPSHOT_UNAVAILABLE` where the layout does not allow it, `SNAPSHOT_FAILED` when a step fails.
 */
import { join } from 'node:path';
import { mountsOf } from '../../host/mounts.js';
import { UpdateError } from '../../update/errors.js';
import { readMark } from '../../update/fallback-mark.js';
import { pathsBelow } from '../../update/paths.js';
import { putBackBootFiles } from '../boot-files.js';
import { bootMounts } from '../boot-mounts.js';
import { carryEvidence } from '../evidence.js';
import type { SnapshotProvider } from '../snapshot-provider.js';
import { arm } from './arm.js';
import { mendGrub } from './boot-loader.js';
import { collectFrom } from './collect.js';
import { exclusiveBytes } from './btrfs-command.js';
import { drill } from './drill.js';
import { listKept, pruneRoots } from './kept-roots.js';
import type { UsableLayout } from './layout.js';
import { layoutOfMachine } from './machine-layout.js';
import { parseReference, referenceText } from './reference.js';
import { rollBack } from './roll-back.js';
import { bootNext, bootsNext, switchTo, withTopLevel, type BtrfsPorts } from './top-level.js';

export type { BtrfsPorts };

export function btrfsSnapshots(ports: BtrfsPorts): SnapshotProvider {
  const { paths, fs, files } = ports;

  /** Errors: `SNAPSHOT_UNAVAILABLE`, also when this root has been set aside already. */
  const unmarked = async (layout: Awaited<ReturnType<typeof layoutOfMachine>>): Promise<UsableLayout> => {
    if (layout.by === 'nothing') throw new UpdateError('SNAPSHOT_UNAVAILABLE', layout.reason);
    const mark = await readMark(fs, paths.fallbackMark);
    if (!mark) return layout;
    const message =
      mark.role === 'kept'
        ? 'another root boots next, by a rollback'
        : `this root is the fallback of update ${mark.id}, whose verdict is not written yet`;
    throw new UpdateError('SNAPSHOT_UNAVAILABLE', message, { hint: 'systemctl reboot' });
  };
  const usableLayout = async (needs: 'room' | 'no room'): Promise<UsableLayout> =>
    unmarked(await layoutOfMachine(ports, needs));

  let unmounting: Promise<unknown> = Promise.resolve();
  const inTopLevel: typeof withTopLevel = async (of, action) => {
    await unmounting;
    return withTopLevel(of, action);
  };
  /** Resolves with the action, and nobody waits for the unmount but who comes next. */
  const inTopLevelBriefly = <T>(action: (top: string) => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      unmounting = inTopLevel(ports, async (top) => {
        resolve(await action(top));
      }).catch(reject);
    });

  /** There is nothing of ours on a btrfs that was never one to switch. */
  const whereSubvolume = async <T>(
    otherwise: T,
    action: Parameters<typeof withTopLevel<T>>[1],
  ): Promise<T> => {
    try {
      return await inTopLevel(ports, action);
    } catch (error) {
      if (error instanceof UpdateError && error.code === 'SNAPSHOT_UNAVAILABLE') return otherwise;
      throw error;
    }
  };

  /** Of the last probe: who arms right after it need not look at all of it again. */
  let probed: UsableLayout | undefined;

  return {
    name: 'btrfs',

    async probe() {
      const layout = await layoutOfMachine(ports, 'room');
      probed = layout.by === 'nothing' ? undefined : layout;
      if (layout.by === 'nothing') return { usable: false, reason: layout.reason };
      const how = layout.by === 'name' ? `boots as subvol=${layout.name}` : 'boots as the default subvolume';
      const saved = (await bootMounts(ports, () => mountsOf(ports)))
        .map((place) => `, ${place} is saved and put back`)
        .join('');
      return {
        usable: true,
        provider: 'btrfs',
        reason: `a btrfs snapshot of / ${how} until the update is proven${saved} (${layout.told})`,
      };
    },

    async armFallback(id, options) {
      const layout = await unmarked(probed ?? (await layoutOfMachine(ports, 'room')));
      probed = undefined;
      const reference = await inTopLevelBriefly((top) => arm(ports, top, layout, id, options));
      const [inPlace] = await bootMounts(ports, () => mountsOf(ports));
      return {
        provider: 'btrfs',
        reference: referenceText(reference),
        ...(inPlace !== undefined && { inPlace }),
      };
    },

    async commit(fallback, when) {
      const reference = parseReference(fallback);
      await inTopLevelBriefly(async (top) => {
        const isNext = await bootsNext(ports, top, reference, 'root');
        await when;
        if (reference.by === 'name')
          await mendGrub({ fs, files, root: paths.root }, reference.other, reference.root);
        await (isNext ? fs.syncFileSystem(top) : switchTo(ports, top, reference, 'root'));
      });
      await files.remove(paths.fallbackArmed);
    },

    async revert(fallback, id, keepAs) {
      const reference = parseReference(fallback);
      if (keepAs !== undefined) {
        const layout = await usableLayout('no room');
        await inTopLevel(ports, (top) => rollBack(ports, top, layout, reference, keepAs));
        return;
      }
      await inTopLevel(ports, async (top) => {
        await bootNext(ports, top, reference, 'other');
        const old = reference.by === 'name' ? reference.root : reference.other;
        await carryEvidence({ fs, files }, id, paths, pathsBelow(join(top, old)));
        await fs.syncFileSystem(top);
        // That root boots next in any case. Where /boot cannot be put back now (another package run holds dpkg's lock),
        // its first boot does it: units/boot-files.
        await putBackBootFiles(ports, join(top, old)).catch(() => undefined);
      });
    },

    collect: (mark) => inTopLevel(ports, (top, running) => collectFrom(ports, top, running, mark)),

    list: () => whereSubvolume([], (top, running) => listKept(ports, top, running)),

    sizeOf: (fallback) =>
      inTopLevel(ports, (top) => exclusiveBytes(ports.run, join(top, parseReference(fallback).other))),

    prune: (keep, minimumFreePercent = 0) =>
      whereSubvolume(undefined, (top, running) =>
        pruneRoots(ports, top, running, { keep, minimumFreePercent }),
      ),

    async settled() {
      await unmounting;
    },

    async drill(id) {
      const layout = await usableLayout('room');
      return inTopLevel(ports, (top) => drill(ports, top, layout, id));
    },
  };
}
