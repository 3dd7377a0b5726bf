/**
 * The words of the kernel command line as systemd reads them: `SYSTEMD_PROC_CMDLINE` wins, in a container the
 * arguments of PID 1 count (there /proc/cmdline is the host's), quotes of both kinds are taken away.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

export async function readKernelCommandLine(path?: string): Promise<string[]> {
  const override = process.env['SYSTEMD_PROC_CMDLINE'];
  if (override !== undefined) return splitKernelWords(override);
  if (path !== undefined) return splitKernelWords(await readFile(path, 'utf8'));
  if (!isContainer()) return splitKernelWords(await readFile('/proc/cmdline', 'utf8'));
  const words = (await readFile('/proc/1/cmdline', 'utf8')).split('\0');
  return words.slice(1).filter((word) => word !== '');
}

export function isContainer(): boolean {
  return existsSync('/run/host/container-manager') || existsSync('/run/systemd/container');
}

/** A quote may stand anywhere in a word, and one that is never closed goes to the end. */
export function splitKernelWords(line: string): string[] {
  const words = line.match(/(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)(?:"|$)|'([^']*)(?:'|$)/g, '$1$2'));
}
