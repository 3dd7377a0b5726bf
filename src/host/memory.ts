/** Memory that programs may still use without swapping, bytes: `MemAvailable` of proc_meminfo(5). */
import { readFile } from 'node:fs/promises';

export async function availableMemoryBytes(path = '/proc/meminfo'): Promise<number> {
  const [, kibibytes] = /^MemAvailable: +(\d+) kB$/m.exec(await readFile(path, 'utf8')) ?? [];
  return Number(kibibytes ?? 0) * 1024;
}
