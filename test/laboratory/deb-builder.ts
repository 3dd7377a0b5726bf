import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { TarMember } from './tar-archive.js';
import { tarArchive } from './tar-archive.js';

export type MaintainerFile =
  'preinst' | 'postinst' | 'prerm' | 'postrm' | 'config' | 'triggers' | 'templates';

/** What a binary package is made of. All fields but name and version have a default. */
export interface DebSpec {
  name: string;
  /** With its epoch, if it has one: `1:2.0-1+b1`. */
  version: string;
  /** Default `all`. */
  architecture?: string;
  depends?: string;
  preDepends?: string;
  essential?: boolean;
  /** Absolute path -> content. A content that begins with `#!` is made executable. */
  files?: Readonly<Record<string, string>>;
  /** Absolute path -> target of a symbolic link. */
  links?: Readonly<Record<string, string>>;
  /** Paths out of `files`. */
  conffiles?: readonly string[];
  /** Maintainer scripts get `#!/bin/sh` and `set -e` when they begin with no `#!`. */
  scripts?: Readonly<Partial<Record<MaintainerFile, string>>>;
  /** Adds a file of so many bytes that do not compress and differ for each version. */
  sizeBytes?: number;
  /** Of the files; default is none. */
  compression?: 'gzip';
  /** Further fields of the control file. */
  control?: Readonly<Record<string, string>>;
}

/** A built package, as a repository lists it. */
export interface Deb {
  spec: DebSpec;
  /** `name_version_architecture.deb`, the version without its epoch. */
  fileName: string;
  /** The control stanza, as lines without a blank one. */
  control: string;
  content: Buffer;
  sizeBytes: number;
  sha256: string;
}

/** One whose file lies in the repository already: too large to be held in memory with all the others. */
export type PlacedDeb = Omit<Deb, 'content'>;

/** Builds a package in memory (deb(5), the control member uncompressed): some 0.1 ms each. */
export function debOf(spec: DebSpec): Deb {
  const control = controlOf(spec);
  const data = tarArchive(dataMembers(spec));
  const content = arArchive([
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar', tarArchive(controlMembers(spec, control))],
    spec.compression === 'gzip' ? ['data.tar.gz', gzipSync(data)] : ['data.tar', data],
  ]);
  const fileVersion = spec.version.replace(/^\d+:/, '');
  return {
    spec,
    fileName: `${spec.name}_${fileVersion}_${spec.architecture ?? 'all'}.deb`,
    control,
    content,
    sizeBytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  };
}

/** Builds a package into a folder and returns the path of the file. */
export async function buildDeb(folder: string, spec: DebSpec): Promise<string> {
  const { fileName, content } = debOf(spec);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, fileName), content);
  return join(folder, fileName);
}

function controlOf(spec: DebSpec): string {
  const fields = {
    Package: spec.name,
    Version: spec.version,
    Architecture: spec.architecture ?? 'all',
    Maintainer: 'Laboratory <laboratory@localhost>',
    'Installed-Size': String(Math.ceil((spec.sizeBytes ?? 1024) / 1024)),
    Section: 'misc',
    Priority: 'optional',
    Essential: spec.essential === true ? 'yes' : '',
    'Pre-Depends': spec.preDepends ?? '',
    Depends: spec.depends ?? '',
    ...spec.control,
    Description: `laboratory package ${spec.name}`,
  };
  const lines = Object.entries(fields).filter(([, value]) => value !== '');
  return lines.map(([field, value]) => `${field}: ${value}\n`).join('');
}

function controlMembers(spec: DebSpec, control: string): TarMember[] {
  const conffiles = (spec.conffiles ?? []).map((path) => `${path}\n`).join('');
  const scripts = Object.entries(spec.scripts ?? {}).map(([name, text]): TarMember => {
    if (name === 'triggers' || name === 'templates') return member(`./${name}`, text, 0o644);
    return member(`./${name}`, text.startsWith('#!') ? text : `#!/bin/sh\nset -e\n${text}\n`, 0o755);
  });
  return [
    { name: './', mode: 0o755 },
    member('./control', control, 0o644),
    ...(conffiles === '' ? [] : [member('./conffiles', conffiles, 0o644)]),
    ...scripts,
  ];
}

function member(name: string, text: string, mode: number): TarMember {
  return { name, mode, content: Buffer.from(text) };
}

function dataMembers(spec: DebSpec): TarMember[] {
  const files = Object.entries(spec.files ?? {}).map(([path, text]) =>
    member(`.${path}`, text, text.startsWith('#!') ? 0o755 : 0o644),
  );
  const links = Object.entries(spec.links ?? {}).map(([path, linkTarget]): TarMember => ({
    name: `.${path}`,
    mode: 0o777,
    linkTarget,
  }));
  if (spec.sizeBytes !== undefined) {
    const name = `./usr/share/${spec.name}/payload`;
    files.push({ name, mode: 0o644, content: noise(`${spec.name} ${spec.version}`, spec.sizeBytes) });
  }
  const leaves = [...files, ...links];
  const folders = new Set(leaves.flatMap(({ name }) => parents(name)));
  return [...[...folders].sort().map((name) => ({ name, mode: 0o755 })), ...leaves];
}

function parents(name: string): string[] {
  const parent = dirname(name);
  return parent === '.' ? ['./'] : [...parents(parent), `${parent}/`];
}

/** The same bytes for the same seed, which no compressor makes smaller. */
function noise(seed: string, bytes: number): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
}

export function arArchive(members: readonly (readonly [string, Buffer])[]): Buffer {
  const parts = members.flatMap(([name, content]) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}`;
    const size = `${String(content.length).padEnd(10)}\`\n`;
    return [Buffer.from(header + size), content, Buffer.from(content.length % 2 === 1 ? '\n' : '')];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
