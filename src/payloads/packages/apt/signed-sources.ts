/**
 * Was the index that names a package signed, and did apt check it? apt keeps a source's `InRelease` (or
 * `Release.gpg`) only when the signature was good: with `[trusted=yes]` and a signature it cannot check, it keeps the
 * bare `Release`. So the file in its lists is the proof, and the option alone is none [tried with apt 3.0].
 *
 * A package counts as signed when a signed index holds its SHA-256, whatever other source offers it as well.
 *
 * Errors: `PLAN_FAILED` when apt does not answer.
 */
import { basename, dirname } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import type { FileSystem } from '../../../host/file-system.js';
import { aptEnvironment } from './apt-environment.js';
import { aptError } from './apt-error.js';

export interface PackageSource {
  /** As in sources.list, for people, without a password: `http://deb.debian.org/debian trixie`. */
  description: string;
  /** What the addresses of its packages begin with. */
  baseUri: string;
  /** apt's copy of the index. */
  indexFile: string;
  signed: boolean;
}

export interface SourcePorts {
  runCommand: RunCommand;
  files: FileSystem;
}

const fields = ['REPO_URI', 'RELEASE', 'METAKEY', 'FILENAME', 'TRUSTED'].map((name) => `$(${name})`);

export async function packageSources({ runCommand, files }: SourcePorts): Promise<PackageSource[]> {
  const args = ['indextargets', '--format', fields.join('\t'), 'Created-By: Packages'];
  const result = await runCommand('apt-get', args, { env: aptEnvironment(), extendEnv: false });
  if (result.exitCode !== 0) throw aptError('PLAN_FAILED', 'apt-get indextargets failed', result.stderr);
  const rows = result.stdout.split('\n').filter((line) => line !== '');
  const folders = [...new Set(rows.map((row) => dirname(row.split('\t')[3] ?? '')))];
  const listed = await Promise.all(
    folders.map((folder) =>
      files.readFolder(folder).then(
        (names) => new Set(names),
        () => new Set<string>(),
      ),
    ),
  );
  const names = new Map(folders.map((folder, at) => [folder, listed[at] ?? new Set<string>()]));
  return rows.map((row) => parseTarget(row, names));
}

export function parseTarget(row: string, lists: ReadonlyMap<string, ReadonlySet<string>>): PackageSource {
  const [baseUri = '', release = '', metaKey = '', indexFile = '', trusted = ''] = row.split('\t');
  const name = basename(indexFile);
  const at = name.lastIndexOf(metaKey.replaceAll('/', '_'));
  const prefix = at < 0 ? undefined : name.slice(0, at);
  const names = lists.get(dirname(indexFile));
  const proven =
    prefix !== undefined &&
    (names?.has(`${prefix}InRelease`) === true || names?.has(`${prefix}Release.gpg`) === true);
  return {
    description: `${withoutPassword(baseUri).replace(/\/$/, '')} ${release}`,
    baseUri,
    indexFile,
    signed: trusted === 'yes' && proven,
  };
}

/** `http://USER:PASSWORD@host/`: what is told of it, everybody may read (status, plan, journal). */
export function withoutPassword(uri: string): string {
  return uri.replace(/^([\w+.-]+:\/\/)[^/]*@/, '$1');
}

export interface WantedPackage {
  name: string;
  uri: string;
  sha256: string | null;
}

export interface UnsignedPackage {
  name: string;
  /** Descriptions of the sources that it may come from. */
  sources: string[];
}

/** Those of the packages that no signed index vouches for. */
export async function unsignedPackages(
  ports: SourcePorts,
  sources: readonly PackageSource[],
  packages: readonly WantedPackage[],
): Promise<UnsignedPackage[]> {
  const known = new Map<string, Promise<ReadonlySet<string>>>();
  const hashesIn = (file: string): Promise<ReadonlySet<string>> => {
    const hashes = known.get(file) ?? readIndex(ports, file).then(hashesOf);
    known.set(file, hashes);
    return hashes;
  };
  const unsigned: UnsignedPackage[] = [];
  for (const wanted of packages) {
    const offering = sourcesOf(wanted.uri, sources);
    if (offering.length > 0 && offering.every(({ signed }) => signed)) continue;
    const vouching = wanted.sha256 === null ? [] : offering.filter(({ signed }) => signed);
    let isSigned = false;
    for (const source of vouching) {
      isSigned ||= wanted.sha256 !== null && (await hashesIn(source.indexFile)).has(wanted.sha256);
    }
    if (isSigned) continue;
    const suspects = offering.filter(({ signed }) => !signed).map(({ description }) => description);
    unsigned.push({
      name: wanted.name,
      sources: suspects.length > 0 ? suspects : [withoutPassword(wanted.uri)],
    });
  }
  return unsigned;
}

/** Suites of one archive share the address of its packages, so there may be several. */
function sourcesOf(uri: string, sources: readonly PackageSource[]): PackageSource[] {
  const matching = sources.filter(({ baseUri }) => uri.startsWith(baseUri));
  return matching.length > 0 ? matching : [...sources];
}

/** Of all packages of an index, so that it is gone through once. */
function hashesOf(index: string): ReadonlySet<string> {
  return new Set(Array.from(index.matchAll(/^SHA256: (\S+)$/gm), ([, hash = '']) => hash));
}

/** Also of a compressed index. Unreadable: it vouches for nothing. */
async function readIndex({ runCommand }: SourcePorts, file: string): Promise<string> {
  const result = await runCommand('/usr/lib/apt/apt-helper', ['cat-file', file], {
    env: aptEnvironment(),
    extendEnv: false,
  });
  return result.exitCode === 0 ? `\n${result.stdout}\n` : '';
}
