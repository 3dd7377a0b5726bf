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

/** With the subvolumes in it: one that holds another cannot be deleted. `name` lies in `top`, the top level. */
export async function deleteSubvolume(run: RunCommand, top: string, name: string): Promise<void> {
  for (const nested of await nestedIn(run, join(top, name))) await deleteSubvolume(run, top, nested);
  await ask(run, 'btrfs', 'subvolume', 'delete', '--commit-after', join(top, name));
}

/** Mounts the top level in a folder below /run for as long as `action` runs; nothing of it stays (invariant 13). */
export async function atTopLevel<T>(
  { run, fs, runFolder }: { run: RunCommand; fs: FileSystem; runFolder: string },
  device: string,
  action: (top: string) => Promise<T>,
): Promise<T> {
  const top = join(runFolder, 'top-level');
  await fs.makeFolder(top, 0o700);
  await ask(run, 'mount', '-t', 'btrfs', '-o', 'subvolid=5,noatime', device, top);
  try {
    return await action(top);
  } finally {
    // The folder itself stays: to remove it is no risk to take when the file system might still be mounted there.
    const { exitCode } = await run('umount', [top]);
    if (exitCode !== 0) await run('umount', ['--lazy', top]);
  }
}
