/** Whether a kernel with given words mounts the root that runs now, where another one may stand under its name. */
import { join } from 'node:path';
import type { RunCommand } from '../../host/command.js';
import type { FileSystem } from '../../host/file-system.js';
import { textOf } from '../../host/if-there.js';
import { mountOf, type Mount } from '../../host/mounts.js';
import type { Paths } from '../../update/paths.js';
import { defaultSubvolume } from './btrfs-command.js';
import { analyseLayout } from './layout.js';

export interface LeadsHerePorts {
  paths: Paths;
  fs: FileSystem;
  run: RunCommand;
  mounts: () => Promise<Mount[]>;
}

/** Why not, or why it is not certain; undefined where it does. Another file system has one root, by which it is mounted. */
export async function leadsElsewhere(
  { paths, fs, run, mounts }: LeadsHerePorts,
  words: readonly string[],
): Promise<string | undefined> {
  const root = mountOf(paths.root, await mounts());
  if (!root) return 'the kernel does not tell what / is';
  if (root.type !== 'btrfs') return undefined;
  const layout = analyseLayout({
    root,
    kernelCommandLine: words,
    fstab: await textOf(fs, join(paths.root, '/etc/fstab')),
    defaultSubvolume: await defaultSubvolume(run, paths.root),
  });
  return layout.by === 'nothing' ? layout.reason : undefined;
}
