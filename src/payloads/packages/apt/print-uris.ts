/**
 * Which files would apt download? `apt-get --print-uris` prints one line for each, and a summary before them:
 *
 *     After this operation, 1,234 kB of additional disk space will be used.
 *     'copy:/srv/./bb_2%7erc1_amd64.deb' bb_1%3a2~rc1_amd64.deb 20672 SHA256:fd5ab3...
 *
 * The second word is the name in apt's archives folder. Without a SHA-256 in the index the last word is missing (or
 * another hash). `Acquire::ForceHash` makes apt name the SHA-256 and no other; an archives folder that does not exist
 * makes it name every file, also those that it has already.
 *
 * Errors: `PLAN_FAILED`.
 */
import type { RunCommand } from '../../../host/command.js';
import { aptEnvironment } from './apt-environment.js';
import { aptError } from './apt-error.js';

export interface Download {
  uri: string;
  sizeBytes: number;
  /** Null when the index has none. */
  sha256: string | null;
}

export interface Downloads {
  /** By the name in apt's archives folder. */
  byFile: Map<string, Download>;
  /** As apt rounds it; negative when space is freed. */
  diskBytes: number;
}

const everyFile = ['-o', 'Acquire::ForceHash=SHA256', '-o', 'Dir::Cache::Archives=/nonexistent/'];

/** `args`: the verb, its words and options, as for `simulate`. */
export async function printUris(
  { runCommand }: { runCommand: RunCommand },
  args: readonly string[],
): Promise<Downloads> {
  const { exitCode, stdout, stderr } = await runCommand(
    'apt-get',
    ['--print-uris', '-y', ...everyFile, ...args],
    { env: aptEnvironment(), extendEnv: false },
  );
  if (exitCode !== 0) throw aptError('PLAN_FAILED', 'apt-get finds no way', `${stdout}\n${stderr}`);
  return { byFile: parseUris(stdout), diskBytes: parseDiskBytes(stdout) };
}

export function parseUris(output: string): Map<string, Download> {
  const rows = output.matchAll(/^'([^']+)' (\S+) (\d+) ?(?:(\w+):([0-9a-fA-F]+))?$/gm);
  return new Map(
    [...rows].map(([, uri = '', file = '', size, kind, hash = '']) => [
      file,
      { uri, sizeBytes: Number(size), sha256: kind === 'SHA256' ? hash.toLowerCase() : null },
    ]),
  );
}

const units: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

export function parseDiskBytes(output: string): number {
  const summary =
    /^After this operation, ([\d.,]+) (B|[kMGT]B) (?:of additional )?disk space will be (used|freed)/m;
  const [, amount, unit = 'B', direction] = summary.exec(output) ?? [];
  if (amount === undefined) return 0;
  const bytes = Math.round(Number(amount.replaceAll(',', '')) * (units[unit] ?? 1));
  return direction === 'freed' && bytes !== 0 ? -bytes : bytes;
}
