/**
 * What the package manager printed, for the error message: its own words say more than any of ours. Only the end of it is ever
 * in memory: a script that prints without end must not be the end of the update service.
 */
import { endOfFile } from '../../../host/end-of-file.js';
import type { FileSystem } from '../../../host/file-system.js';

const tailLines = 12;
const mostBytes = 1024 * 1024;

export interface TerminalLog {
  /** The last that was added since this object was made; empty when it cannot be read. */
  added(): Promise<string[]>;
}

export async function terminalLogFromNow(files: FileSystem, path: string): Promise<TerminalLog> {
  const before = await files.lstat(path).then(
    ({ size }) => size,
    () => 0,
  );
  return {
    async added() {
      const text = await endOfFile(path, before, mostBytes).catch(() => '');
      return text.split('\n').filter((line) => line.trim() !== '');
    },
  };
}

/** The lines in which apt and dpkg name an error: `E: ...`, `dpkg: error ...`. */
export function errorLines(lines: readonly string[]): string[] {
  return lines.filter((line) => /^(E: |dpkg: error|dpkg: unrecoverable)/.test(line));
}

export function tail(lines: readonly string[]): string {
  return lines.slice(-tailLines).join('\n');
}
