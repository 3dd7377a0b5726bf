/** Seconds that one small write takes to be on the disk below `folder`: the median of a few, each tried for real. */
import { open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const tries = 5;

export async function syncSeconds(folder: string): Promise<number> {
  const path = join(folder, `.sync-time.${process.pid}`);
  const file = await open(path, 'w', 0o600);
  try {
    const seconds: number[] = [];
    for (let n = 0; n < tries; n += 1) {
      const began = performance.now();
      await file.appendFile('one line of the package database\n');
      await file.sync();
      seconds.push((performance.now() - began) / 1000);
    }
    return seconds.sort((a, b) => a - b)[Math.floor(tries / 2)] ?? 0;
  } finally {
    await file.close();
    await unlink(path);
  }
}
