/**
 * A disk whose flushes take as long as those of one with a volatile cache, while reads and writes cost what they cost
 * without it: a file beside the image that shows its content, to be mounted with `-o loop`.
 */
import { join } from 'node:path';
import { command } from '../command.js';
import { FuseFile } from './fuse-file.js';

const program = join(import.meta.dirname, 'slow-flushes.ts');

export interface SlowFlushes {
  /** A flush takes at least so long. */
  flushMilliseconds: number;
}

/** Returns the file to mount. Rejects with the reason where this machine cannot have such a disk. */
export async function startSlowDisk(image: string, { flushMilliseconds }: SlowFlushes): Promise<string> {
  const file = shownBeside(image);
  await (await FuseFile.start(file, 'slow-disk', [program, image, String(flushMilliseconds)])).prove();
  return file;
}

/** Whoever still uses the disk goes on with the image as it was then; its server ends after the last of them. */
export async function letSlowDiskGo(image: string): Promise<void> {
  await command(['umount', '--lazy', shownBeside(image)]);
}

function shownBeside(image: string): string {
  return `${image}.shown`;
}
