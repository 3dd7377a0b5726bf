/**
 * What dpkg's database says, in dpkg's own words: read only, no lock is taken, nothing is repaired.
 *
 * An abbreviation is `db:Status-Abbrev` without blanks (dpkg-query(1)): `ii` installed, `hi` the same on hold, `iU`
 * unpacked, `iF` half configured, `iH` half installed, `iW`/`it` triggers awaited or pending, `rc` removed but for its
 * configuration; an `R` at the end says that dpkg wants it installed again (`iHR`: killed in the preinst of an
 * upgrade). Purged packages are not listed.
 *
 * Errors: `INTERNAL` when dpkg cannot be asked at all.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import type { FileSystem } from '../../../host/file-system.js';
import { namesIn } from '../../../host/if-there.js';
import { UpdateError } from '../../../update/errors.js';

export interface PackageState {
  name: string;
  architecture: string;
  version: string;
  abbreviation: string;
}

export interface DpkgDatabase {
  /** Every package dpkg knows of, by `packageKey`. */
  states(): Promise<Map<string, PackageState>>;
  /** Changes with every change of a package's version, state or selection, and with nothing else. */
  fingerprint(): Promise<string>;
  /** What `dpkg --audit` prints; empty when all is well. Its exit code says nothing: 0 also of a broken package. */
  audit(): Promise<string>;
  /** Names of the numbered files that an interrupted dpkg leaves in its journal; empty when all is well. */
  pendingJournal(): Promise<string[]>;
}

/** Nothing inherited: DPKG_ROOT and the like would answer for another machine. */
const queryEnvironment = { LC_ALL: 'C.UTF-8', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };

const STATES_FORMAT = '${db:Status-Abbrev} ${Package}:${Architecture} ${Version}\n';

export function dpkgDatabase(runCommand: RunCommand, files: FileSystem, root = '/'): DpkgDatabase {
  const rooted = root === '/' ? [] : [`--root=${root}`];
  const ask = async (program: string, args: readonly string[]): Promise<string> => {
    const result = await runCommand(program, [...rooted, ...args], {
      env: queryEnvironment,
      extendEnv: false,
    });
    if (result.exitCode === 0 || (program === 'dpkg' && result.exitCode === 1)) return result.stdout;
    throw new UpdateError('INTERNAL', `${program} ${args.join(' ')} failed: ${result.stderr.trim()}`);
  };
  let asking: Promise<string> | undefined;
  /** Whoever asks while an answer is on its way gets that one. */
  const query = (): Promise<string> =>
    (asking ??= ask('dpkg-query', ['-W', '-f', STATES_FORMAT]).finally(() => {
      asking = undefined;
    }));

  return {
    states: async () => parseStates(await query()),
    fingerprint: async () => fingerprintOf(await query()),
    audit: async () => (await ask('dpkg', ['--audit'])).trim(),
    pendingJournal: async () => {
      const names = await namesIn(files, join(root, '/var/lib/dpkg/updates'));
      return names.filter((name) => /^\d+$/.test(name));
    },
  };
}

export function packageKey(name: string, architecture: string): string {
  return `${name}:${architecture}`;
}

export function parseStates(listing: string): Map<string, PackageState> {
  const states = new Map<string, PackageState>();
  for (const line of listing.split('\n')) {
    // the third letter of the abbreviation is a blank or R
    const [, abbreviation, name, architecture, version] = /^(\S+) +([^\s:]+):(\S+) (\S*)$/.exec(line) ?? [];
    if (!abbreviation || !name || !architecture || version === undefined) continue;
    states.set(packageKey(name, architecture), { name, architecture, version, abbreviation });
  }
  return states;
}

/** SHA-256 over the lines in byte order: the order of dpkg's database means nothing. */
export function fingerprintOf(listing: string): string {
  const lines = listing.split('\n').filter((line) => line !== '');
  const sorted = lines.sort().map((line) => `${line}\n`);
  return createHash('sha256').update(sorted.join('')).digest('hex');
}
