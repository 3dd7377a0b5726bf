/**
 * What the package manager printed, for the error message: its own words say more than any of ours.
 */
import type { FileSystem } from '../../../host/file-system.js';

const tailLines = 12;

export interface TerminalLog {
  /** What was added since this object was made; empty when it cannot be read. */
  added(): Promise<string[]>;
}

export async function terminalLogFromNow(files: FileSystem, path: string): Promise<TerminalLog> {
  const read = (): Promise<string> => files.readFile(path).catch(() => '');
  const before = (await read()).length;
  return {
    async added() {
      const text = (await read()).slice(before);
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
