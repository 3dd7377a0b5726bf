/** What a block device was asked for, as the kernel counts it (Documentation/admin-guide/iostats). */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

export interface BlockCounters {
  /** Flush requests: what fsync and its relatives, and the commits of the file system, come to on the disk. */
  flushes: number;
  bytesWritten: number;
}

const sectorBytes = 512;

export async function readBlockCounters(device: string): Promise<BlockCounters> {
  const fields = (await readFile(`/sys/block/${basename(device)}/stat`, 'utf8'))
    .trim()
    .split(/\s+/)
    .map(Number);
  return { flushes: fields[15] ?? NaN, bytesWritten: (fields[6] ?? NaN) * sectorBytes };
}

export function counted(before: BlockCounters, after: BlockCounters): BlockCounters {
  return {
    flushes: after.flushes - before.flushes,
    bytesWritten: after.bytesWritten - before.bytesWritten,
  };
}
