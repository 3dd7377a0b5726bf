/** What a flush costs on a disk: medians, in milliseconds. */
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { median } from '../statistics.js';

export interface FlushCost {
  /** fsync of the block device with nothing to write: one flush and nothing else. */
  flushMilliseconds: number;
  /** fsync of a file of 4 KiB in the root, each time after it was written anew: as often as its file system flushes for that. */
  fsyncMilliseconds: number;
}

const times = 100;
const page = Buffer.alloc(4096, 'x');

export function measureFlushes(device: string, root: string): FlushCost {
  const file = join(root, 'bench-fsync');
  try {
    return {
      flushMilliseconds: timed(device, 'r'),
      fsyncMilliseconds: timed(file, 'w', (descriptor) => writeSync(descriptor, page, 0, page.length, 0)),
    };
  } finally {
    rmSync(file, { force: true });
  }
}

function timed(path: string, flags: string, write?: (descriptor: number) => void): number {
  const descriptor = openSync(path, flags);
  try {
    const values = Array.from({ length: times }, () => {
      const begin = performance.now();
      write?.(descriptor);
      fsyncSync(descriptor);
      return performance.now() - begin;
    });
    return median(values);
  } finally {
    closeSync(descriptor);
  }
}
