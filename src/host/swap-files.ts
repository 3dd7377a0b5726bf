/** Files that the kernel swaps to at present, from proc_swaps(5); partitions and memory (zram) are not among them. */
import { readFile } from 'node:fs/promises';
import { isErrno } from './host-error.js';

/** Empty where the kernel knows no swapping. */
export async function readSwapFiles(path = '/proc/swaps'): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    const [name = '', type] = line.split(/\s+/);
    return type === 'file' ? [unescape(name)] : [];
  });
}

/** Blank, tab, newline and backslash are written in octal. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
