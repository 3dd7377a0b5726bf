/** How much a copy takes right away: all but the files of the packages, which mostly are links. */
import { join } from 'node:path';
import type { RunCommand } from '../../host/command.js';
import { exists } from '../../host/exists.js';
import type { FileSystem } from '../../host/file-system.js';
import type { Paths } from '../../update/paths.js';
import { dpkgFolders, wholeFolders } from './scope.js';

/** What a link, or the inode of a copy, takes in folders and inode tables: some thousands of them. */
const BOOKS_BYTES = 8 * 1024 * 1024;

export async function copiedBytes(ports: { paths: Paths; fs: FileSystem; run: RunCommand }): Promise<number> {
  const { paths, fs, run } = ports;
  const there: string[] = [];
  for (const folder of wholeFolders) {
    const path = join(paths.root, folder);
    if (await exists(fs, path)) there.push(path);
  }
  const without = dpkgFolders.map((folder) => `--exclude=${join(paths.root, folder)}`);
  // A folder that cannot be read is told when it is copied; du(1) goes on with the others.
  const { stdout } = await run('du', ['--summarize', '--block-size=1', ...without, '--', ...there]);
  const sizes = stdout.split('\n').map((line) => Number(/^\d+/.exec(line)?.[0] ?? 0));
  return sizes.reduce((sum, bytes) => sum + bytes, BOOKS_BYTES);
}
