/** Makes a fresh snapshot of the running root fit to boot as the way back. */
import { join } from 'node:path';
import type { RunCommand } from '../../host/command.js';
import type { DurableFiles } from '../../host/durable-files.js';
import type { FileSystem } from '../../host/file-system.js';
import { markText, type NewMark } from '../../update/fallback-mark.js';
import { CLAIMED_SUFFIX, pathsBelow } from '../../update/paths.js';
import { readLinkTruth } from '../../update/trigger-link.js';
import { saveBootFiles } from '../boot-files.js';
import { ask } from './btrfs-command.js';
import { SNAPPER_FOLDER } from './snapper-folder.js';

export interface FallbackRootPorts {
  fs: FileSystem;
  files: DurableFiles;
  run: RunCommand;
}

/**
 * `root`: the running one, named `name` at the top level, with the subvolumes in it and what is mounted in it that the
 * boot loader reads; `snapshot`: the folder of its snapshot.
 */
export async function fitToBoot(
  { fs, files, run }: FallbackRootPorts,
  root: { path: string; name: string; nested: readonly string[]; bootMounts: readonly string[] },
  snapshot: string,
  mark: NewMark,
): Promise<void> {
  const paths = pathsBelow(snapshot);
  // systemd.offline-updates(7): "revert to the old file system snapshot (without the symlink)".
  for (const path of paths.triggers.flatMap((trigger) => [trigger, trigger + CLAIMED_SUFFIX])) {
    if ((await readLinkTruth(fs, path)).kind === 'ours') await files.remove(path);
  }
  // A snapshot holds a subvolume in it as a folder that nobody can write to.
  for (const nested of root.nested) {
    const inside = nested.slice(root.name.length);
    const { mode, uid, gid } = await fs.lstat(join(root.path, inside));
    await ask(run, 'rmdir', join(snapshot, inside));
    if (inside === SNAPPER_FOLDER) continue; // moved when this root boots
    await ask(run, 'btrfs', 'subvolume', 'create', join(snapshot, inside));
    await fs.changeOwner(join(snapshot, inside), uid, gid);
    await fs.changeMode(join(snapshot, inside), mode);
  }
  await saveBootFiles({ fs, files, run, paths: pathsBelow(root.path) }, mark.id, snapshot, root.bootMounts);
  await files.makeFolder(paths.state, 0o755);
  await files.replace(paths.fallbackMark, markText(mark), 0o644);
}
