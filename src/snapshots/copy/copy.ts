/**
 * The way back where the root has no snapshots (docs/copy.md): what the update replaces is copied beforehand, and one
 * link arms the copy. From then on a boot that finds the claimed link puts the copy back by shell (units/rescue,
 * units/restore), however often it is cut; only a proven success takes the link away (invariant 4).
 *
 * Errors: `SNAPSHOT_UNAVAILABLE` where nothing can be saved or the copy no longer fits, `SNAPSHOT_FAILED` when a step
 * fails.
 */
import { join } from 'node:path';
import type { RunCommand } from '../../host/command.js';
import type { DurableFiles } from '../../host/durable-files.js';
import { exists } from '../../host/exists.js';
import type { FileSystem } from '../../host/file-system.js';
import { isErrno } from '../../host/host-error.js';
import { ifThere, textOf } from '../../host/if-there.js';
import { readMounts, type Mount } from '../../host/mounts.js';
import { UpdateError } from '../../update/errors.js';
import { readMark } from '../../update/fallback-mark.js';
import { CLAIMED_SUFFIX, pathsOfUpdate, TRIGGER_TARGET, type Paths } from '../../update/paths.js';
import { parsePlan, type PackageChange } from '../../update/plan.js';
import { UPDATE_ID } from '../../update/update-id.js';
import type { KeptFallback, SnapshotProvider } from '../snapshot-provider.js';
import { bootMounts } from '../boot-mounts.js';
import { copiedBytes } from './copied-bytes.js';
import { fits, noteCommitted } from './committed.js';
import { ownedPaths } from './package-files.js';
import { save } from './save.js';
import { select, whyNotSaved } from './selection.js';

export interface CopyPorts {
  paths: Paths;
  fs: FileSystem;
  files: DurableFiles;
  run: RunCommand;
  /** Tests say otherwise. */
  mounts?: () => Promise<Mount[]>;
}

const covers =
  'the files of the packages of this update, all of /etc and /boot, and the package database; all else stays as it is';

export function copySnapshots(ports: CopyPorts): SnapshotProvider {
  const { paths, fs, files, run, mounts = readMounts } = ports;
  const folderOf = (id: string): string => join(paths.fallbacks, id);

  /** Newest first, fitting or not. */
  const own = async (): Promise<string[]> => {
    try {
      return (await fs.readFolder(paths.fallbacks)).filter((name) => UPDATE_ID.test(name)).reverse();
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  };
  const putBack = async (id: string): Promise<void> => {
    const { exitCode, stderr } = await run('sh', [join(folderOf(id), 'restore'), paths.root]);
    if (exitCode === 0) return;
    throw new UpdateError('SNAPSHOT_FAILED', `the copy could not be put back: ${stderr.trim().slice(-2000)}`);
  };

  return {
    name: 'copy',

    async probe() {
      const mark = await readMark(fs, paths.fallbackMark);
      if (mark) {
        return { usable: false, reason: `the return of update ${mark.id} is not written down yet` };
      }
      const why = await whyNotSaved({ fs, root: paths.root });
      if (why !== undefined)
        return { usable: false, reason: `what an update replaces cannot be saved: ${why}` };
      const reason =
        'what the update replaces is saved beforehand, packages by links, and put back if it fails';
      return { usable: true, provider: 'copy', reason, copiedBytes: () => copiedBytes(ports) };
    },

    async armFallback(id, { when } = {}) {
      await when;
      const owned = await ownedPaths(fs, paths.root, await changesOf(ports, id));
      const boot = await bootMounts(ports, mounts);
      const around = await mounts();
      const mark = { id, provider: 'copy', failedRoot: '' };
      try {
        await save(ports, folderOf(id), mark, (device) =>
          select({ fs, root: paths.root, device, mounts: around, bootMounts: boot }, owned),
        );
      } catch (error) {
        // A disk that was too small for it must not stay full.
        await files.removeTree(folderOf(id)).catch(() => undefined);
        throw error;
      }
      await files.makeFolder(paths.runFolder, 0o755);
      await files.replace(paths.fallbackArmed, `${id}\n`);
      await files.link(id, paths.copyArmed);
      return { provider: 'copy', reference: id, inPlace: '/' };
    },

    async commit({ reference }, when) {
      await when;
      await noteCommitted(ports, folderOf(reference));
      await files.remove(paths.fallbackArmed);
      await files.remove(paths.copyArmed);
    },

    async revert({ reference }) {
      if ((await exists(fs, paths.copyArmed)) && (await exists(fs, paths.fallbackArmed))) {
        await putBack(reference);
        return;
      }
      if (!(await fits(ports, folderOf(reference)))) {
        const message = `the packages have changed since update ${reference}: its copy no longer fits`;
        throw new UpdateError('SNAPSHOT_UNAVAILABLE', message);
      }
      await files.remove(paths.copyRestored);
      await files.remove(paths.copyArmed);
      // Of an earlier one that did not come to its end.
      await files.remove(join(folderOf(reference), 'begun'));
      // The end that was wished for the update has been honoured: after this one the machine comes up.
      await files.remove(paths.action);
      // The link that leads into the update boot comes last: by itself the copy means nothing.
      await files.link(reference, paths.copyArmed);
      await leadBack(ports);
    },

    // Journal and log lie outside of the copy.
    collect: () => Promise.resolve(),

    async list() {
      const fallbacks: KeptFallback[] = [];
      for (const id of await own())
        if (await fits(ports, folderOf(id))) fallbacks.push({ provider: 'copy', reference: id, id, covers });
      return fallbacks;
    },

    async prune(keep) {
      const armed = await ifThere(fs.readLink(paths.copyArmed));
      let kept = 0;
      for (const id of await own()) {
        if (id === armed) continue;
        if (kept < keep && (await fits(ports, folderOf(id)))) kept += 1;
        else await files.removeTree(folderOf(id));
      }
    },
  };
}

/** A claimed link: the next boot is an update boot that goes on where an earlier one was cut short. */
async function leadBack({ files, paths }: CopyPorts): Promise<void> {
  const [first, second] = paths.triggers.map((trigger) => trigger + CLAIMED_SUFFIX);
  try {
    await files.link(TRIGGER_TARGET, first ?? '');
  } catch (error) {
    if (!isErrno(error, 'EROFS') || second === undefined) throw error;
    await files.link(TRIGGER_TARGET, second);
  }
}

/** Of the plan that the history holds; a rehearsal of the way back has none, and changes nothing. */
async function changesOf({ fs, paths }: CopyPorts, id: string): Promise<readonly PackageChange[]> {
  const text = await textOf(fs, pathsOfUpdate(paths, id).plan);
  return text === '' ? [] : parsePlan(text).payload.changes;
}
