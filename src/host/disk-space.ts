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

/** The share of the file system of a path that is free for us, 0 to 1. */
export async function freeShare(path: string): Promise<number> {
  const { bavail, blocks } = await statfs(path);
  return blocks === 0 ? 1 : bavail / blocks;
}
