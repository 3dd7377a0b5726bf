/**
 * The words of the kernel command line as systemd reads them: `SYSTEMD_PROC_CMDLINE` wins, in a container the
 * arguments of PID 1 count (there /proc/cmdline is the host's), quotes of both kinds are taken away.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export async function readKernelCommandLine(path?: string): Promise<string[]> {
  const override = process.env['SYSTEMD_PROC_CMDLINE'];
  if (override !== undefined) return splitKernelWords(override);
  if (path !== undefined) return splitKernelWords(await readFile(path, 'utf8'));
  if (!isContainer()) return splitKernelWords(await readFile('/proc/cmdline', 'utf8'));
  return argumentsOf(await readFile('/proc/1/cmdline', 'utf8'));
}

/** Known before the generators run: by the manager of the container, or by PID 1. */
export function isContainer(root = '/'): boolean {
  return ['run/host/container-manager', 'run/systemd/container'].some((path) => existsSync(join(root, path)));
}

/** `text`: of /proc/PID/cmdline. */
export function argumentsOf(text: string): string[] {
  return text
    .split('\0')
    .slice(1)
    .filter((word) => word !== '');
}

/** A quote may stand anywhere in a word, and one that is never closed goes to the end. */
export function splitKernelWords(line: string): string[] {
  const words = line.match(/(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s"'])+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)(?:"|$)|'([^']*)(?:'|$)/g, '$1$2'));
}
