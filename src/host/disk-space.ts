/**
 * What is left on the file system of a path, for us: blocks reserved for root do not count.
 */
import { statfs } from 'node:fs/promises';

export interface FreeSpace {
  bytes: number;
  /** Infinity where the file system makes them as needed (btrfs). */
  inodes: number;
}

export async function freeSpace(path: string): Promise<FreeSpace> {
  const { bavail, bsize, files, ffree } = await statfs(path);
  return { bytes: bavail * bsize, inodes: files === 0 ? Infinity : ffree };
}
