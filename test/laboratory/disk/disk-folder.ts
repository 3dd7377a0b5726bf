import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../command.js';
import { makeEmptyFolder } from '../machine-folder.js';

/** Sparse: what images have in common takes memory once. */
const sharingMegabytes = 65536;

/** A folder for disks and their states, in memory. */
export interface DiskFolder {
  path: string;
  /** For large files that are written once. */
  memory: string;
  /** A file system that shares blocks between files (reflink). */
  sharing: string;
  /** An empty folder, to mount a state at. */
  mountPoint: string;
  remove: () => void;
}

export async function makeDiskFolder(): Promise<DiskFolder> {
  const { path, remove } = await makeEmptyFolder({ unmountsEverywhere: true });
  const folder = {
    path,
    memory: join(path, 'memory'),
    sharing: join(path, 'sharing'),
    mountPoint: join(path, 'state'),
    remove,
  };
  for (const each of [folder.memory, folder.sharing, folder.mountPoint]) await mkdir(each);
  await command(['mount', '-t', 'tmpfs', '-o', 'size=80%', 'laboratory', folder.memory]);
  const image = join(folder.memory, 'sharing-image');
  await command(['truncate', `--size=${sharingMegabytes}M`, image]);
  await command(['mkfs.btrfs', '--quiet', '--metadata=single', image]);
  await command(['mount', '-o', 'loop,noatime', image, folder.sharing]);
  return folder;
}
