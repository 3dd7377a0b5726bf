/** The programs of the system that this provider drives; each failure is told with what the program said. */
import { join } from 'node:path';
import type { RunCommand } from '../../host/command.js';
import type { FileSystem } from '../../host/file-system.js';
import { UpdateError } from '../../update/errors.js';

/** Standard output. Errors: `SNAPSHOT_FAILED`; HostError `COMMAND_NOT_FOUND`. */
export async function ask(run: RunCommand, file: string, ...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await run(file, args, { env: { LC_ALL: 'C' } });
  if (exitCode === 0) return stdout;
  throw new UpdateError('SNAPSHOT_FAILED', `${file} ${args.join(' ')}: ${stderr.trim() || stdout.trim()}`);
}

/** Paths below the top level of the subvolumes directly in the one at `path`. */
export async function nestedIn(run: RunCommand, path: string): Promise<string[]> {
  const lines = await ask(run, 'btrfs', 'subvolume', 'list', '-o', path);
  return [...lines.matchAll(/^ID \d+ .*? path (.+)$/gm)].map(([, nested = '']) => nested);
}

/** `ID 5 (FS_TREE)`, or `ID 256 gen 10 top level 5 path @`. */
export async function defaultSubvolume(run: RunCommand, path: string): Promise<number> {
  return Number(/^ID (\d+)/.exec(await ask(run, 'btrfs', 'subvolume', 'get-default', path))?.[1]);
}

export async function subvolumeId(run: RunCommand, path: string): Promise<number> {
  return Number(await ask(run, 'btrfs', 'inspect-internal', 'rootid', path));
}

/** Bytes that no other subvolume shares; undefined when the program does not tell. Walks through every file. */
export async function exclusiveBytes(run: RunCommand, path: string): Promise<number | undefined> {
  const text = await ask(run, 'btrfs', 'filesystem', 'du', '--raw', '--summarize', path);
  const bytes = /^\s*\d+\s+(\d+)\s/m.exec(text)?.[1];
  return bytes === undefined ? undefined : Number(bytes);
}

/**
 * With the empty subvolumes in it, since one that holds another cannot be deleted. `name` lies in `top`, the top level.
 * Errors: `SNAPSHOT_FAILED`, also for a nested subvolume with files: those are not ours to delete.
 */
export async function deleteSubvolume(
  { run, fs }: { run: RunCommand; fs: FileSystem },
  top: string,
  name: string,
): Promise<void> {
  const nested = await nestedIn(run, join(top, name));
  for (const path of nested) {
    if ((await fs.readFolder(join(top, path))).length === 0) continue;
    throw new UpdateError('SNAPSHOT_FAILED', `${name} is kept: the subvolume ${path} in it has files`);
  }
  for (const path of [...nested, name]) {
    await ask(run, 'btrfs', 'subvolume', 'delete', '--commit-after', join(top, path));
  }
}

/** Mounts the top level in a folder below /run for as long as `action` runs; nothing of it stays (invariant 13). */
export function atTopLevel<T>(
  { run, fs, runFolder }: { run: RunCommand; fs: FileSystem; runFolder: string },
  device: string,
  action: (top: string) => Promise<T>,
): Promise<T> {
  const folder = join(runFolder, 'top-level');
  return mounted({ run, fs, folder }, device, 'subvolid=5,noatime', action);
}

export async function mounted<T>(
  { run, fs, folder }: { run: RunCommand; fs: FileSystem; folder: string },
  device: string,
  options: string,
  action: (folder: string) => Promise<T>,
): Promise<T> {
  await fs.makeFolder(folder, 0o700);
  await ask(run, 'mount', '-t', 'btrfs', '-o', options, device, folder);
  try {
    return await action(folder);
  } finally {
    // The folder itself stays: to remove it is no risk to take when the file system might still be mounted there.
    const { exitCode } = await run('umount', [folder]);
    if (exitCode !== 0) await run('umount', ['--lazy', folder]);
  }
}
