import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import type { Deb, PlacedDeb } from './deb-builder.js';
import type { Machine } from './machine.js';
import { signingKey } from './signing-key.js';

export interface RepositoryOptions {
  /** Default `stable`. */
  suite?: string;
  /** Default true. An unsigned one has a Release file only. */
  signed?: boolean;
  /** Which hashes the indexes have. Default SHA256; MD5 alone is what apt calls weak. */
  hashes?: 'sha256' | 'md5';
  /** Folder in the machine. Default /srv/repository. */
  folder?: string;
  /** Further options of the source, as deb822 fields, such as `{ Trusted: 'yes' }`. */
  source?: Readonly<Record<string, string>>;
  /** Further fields of the package index, by package name, such as `{ 'Phased-Update-Percentage': '10' }`. */
  indexFields?: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

const keyring = '/etc/apt/keyrings/laboratory.asc';

/**
 * Writes an apt repository into a machine and a source for it (/etc/apt/sources.list.d/laboratory-<suite>.sources). It is
 * served by `copy:`, because with `file:` apt uses the packages in place and never fills its cache. Call it once for each suite;
 * `apt-get update` is left to the caller.
 */
export async function putRepository(
  machine: Machine,
  debs: readonly (Deb | PlacedDeb)[],
  options: RepositoryOptions = {},
): Promise<void> {
  const { suite = 'stable', folder = '/srv/repository', signed = true, hashes = 'sha256' } = options;
  const pool = join(folder, 'pool');
  await mkdir(machine.path(pool), { recursive: true });
  for (const deb of debs)
    if ('content' in deb) await writeFile(machine.path(join(pool, deb.fileName)), deb.content);

  const index = debs.map((deb) => stanza(deb, hashes, options.indexFields?.get(deb.spec.name))).join('\n');
  const dists = join(folder, 'dists', suite);
  await machine.write(join(dists, 'main/binary-amd64/Packages'), index);
  const release = releaseOf(suite, index, hashes);
  await machine.remove(join(dists, 'InRelease'));
  await machine.write(join(dists, 'Release'), release);

  const fields = {
    Types: 'deb',
    URIs: `copy:${folder}`,
    Suites: suite,
    Components: 'main',
    ...(signed && { 'Signed-By': keyring }),
    ...options.source,
  };
  if (signed) {
    const key = await signingKey();
    await machine.write(join(dists, 'InRelease'), await key.sign(release));
    await machine.write(keyring, key.publicKey);
  }
  const lines = Object.entries(fields).map(([field, value]) => `${field}: ${value}\n`);
  await machine.write(`/etc/apt/sources.list.d/laboratory-${suite}.sources`, lines.join(''));
}

function stanza(
  deb: Deb | PlacedDeb,
  hashes: 'sha256' | 'md5',
  further: Readonly<Record<string, string>> = {},
): string {
  const md5 = hashes === 'md5' && 'content' in deb;
  const hash = md5 ? `MD5sum: ${digest('md5', deb.content)}` : `SHA256: ${deb.sha256}`;
  const more = Object.entries(further).map(([field, value]) => `${field}: ${value}\n`);
  const file = `Filename: pool/${deb.fileName}\nSize: ${deb.sizeBytes}\n${hash}\n`;
  return `${deb.control}${more.join('')}${file}`;
}

function releaseOf(suite: string, index: string, hashes: 'sha256' | 'md5'): string {
  const field = hashes === 'sha256' ? 'SHA256' : 'MD5Sum';
  return [
    'Origin: Laboratory',
    'Label: Laboratory',
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    `Date: ${new Date().toUTCString().replace('GMT', 'UTC')}`,
    'Architectures: amd64 all',
    'Components: main',
    'No-Support-for-Architecture-all: Packages',
    `${field}:`,
    ` ${digest(hashes, index)} ${Buffer.byteLength(index)} main/binary-amd64/Packages`,
    '',
  ].join('\n');
}

function digest(algorithm: 'sha256' | 'md5', content: string | Buffer): string {
  return createHash(algorithm).update(content).digest('hex');
}
