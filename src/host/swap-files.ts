/** Files that the kernel swaps to at present, from proc_swaps(5); partitions and memory (zram) are not among them. */
import { readFile } from 'node:fs/promises';
import { isErrno } from './host-error.js';
import { unescapeOctal } from './octal-escapes.js';

/** Empty where the kernel knows no swapping. */
export async function readSwapFiles(path = '/proc/swaps'): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    const [name = '', type] = line.split(/\s+/);
    return type === 'file' ? [unescapeOctal(name)] : [];
  });
}
