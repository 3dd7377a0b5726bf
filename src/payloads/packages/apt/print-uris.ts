/**
 * What would apt do, and with which files? `apt-get --print-uris` prints its summary and one line for each file, in half
 * the time of a simulation, which also puts all steps into their order:
 *
 *     The following packages will be REMOVED:
 *       old other:i386
 *     3 upgraded, 1 newly installed, 1 downgraded, 2 to remove and 0 not upgraded.
 *     After this operation, 1,234 kB of additional disk space will be used.
 *     'copy:/srv/./bb_2%7erc1_amd64.deb' bb_1%3a2~rc1_amd64.deb 20672 SHA256:fd5ab3...
 *
 * The second word is the name in apt's archives folder: name, version and architecture. Without a SHA-256 in the index
 * the last word is missing (or is another hash). `Acquire::ForceHash` makes apt name the SHA-256 and no other; an archives
 * folder that does not exist makes it name every file, also those that it has already. With `-y` apt refuses here what
 * it would refuse then: to remove an essential package, an unasked downgrade, a change of a held package.
 *
 * Errors: `PLAN_FAILED` with apt's own words, or when its summary counts otherwise than its lists.
 */
import type { RunCommand } from '../../../host/command.js';
import { UpdateError } from '../../../update/errors.js';
import { plainOutput } from './apt-arguments.js';
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
  /** Names of packages that go; with `:ARCHITECTURE` when it is not the machine's own. */
  removed: string[];
  /** Packages that apt took for a name that only they provide. */
  selected: Map<string, string>;
  /** As apt rounds it; negative when space is freed. */
  diskBytes: number;
}

const everyFile = ['-o', 'Acquire::ForceHash=SHA256', '-o', 'Dir::Cache::Archives=/nonexistent/'];

/** `args`: the verb, its words and options, as for `simulate`; `hint`: what to type where apt finds no way. */
export async function printUris(
  { runCommand }: { runCommand: RunCommand },
  args: readonly string[],
  hint?: string,
): Promise<Downloads> {
  const { exitCode, stdout, stderr } = await runCommand(
    'apt-get',
    ['--print-uris', '-y', ...args, ...everyFile, ...plainOutput],
    { env: aptEnvironment(), extendEnv: false },
  );
  if (exitCode !== 0) throw aptError('PLAN_FAILED', 'apt-get finds no way', `${stdout}\n${stderr}`, hint);
  const byFile = parseUris(stdout);
  const removed = parseRemoved(stdout);
  const counts = parseCounts(stdout);
  if (counts.brought !== byFile.size || counts.removed !== removed.length) {
    throw new UpdateError(
      'PLAN_FAILED',
      `apt-get counts ${counts.brought} packages to install and ${counts.removed} to remove, ` +
        `and names ${byFile.size} and ${removed.length}`,
    );
  }
  return { byFile, removed, selected: parseSelections(stdout), diskBytes: parseDiskBytes(stdout) };
}

/** `brought`: upgraded, new, downgraded and reinstalled ones. */
export function parseCounts(output: string): { brought: number; removed: number } {
  const summary = /^(\d+ upgraded, .*), (\d+) to remove and \d+ not upgraded\.$/m.exec(output);
  const brought = [...(summary?.[1] ?? '').matchAll(/\d+/g)].reduce((sum, [count]) => sum + Number(count), 0);
  return { brought, removed: Number(summary?.[2] ?? 0) };
}

/** The names are indented below their heading; a star marks one that is purged. */
export function parseRemoved(output: string): string[] {
  const [, list = ''] = /^The following packages will be REMOVED:\n((?: .*\n?)*)/m.exec(output) ?? [];
  return list
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => word.replace(/\*$/, ''));
}

export function parseSelections(output: string): Map<string, string> {
  const notes = output.matchAll(/^Note, selecting '([^:']+)\S*' instead of '([^:']+)\S*'/gm);
  return new Map([...notes].map(([, chosen = '', asked = '']) => [asked, chosen]));
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
