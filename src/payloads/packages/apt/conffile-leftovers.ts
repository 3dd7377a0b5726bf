/**
 * Files that this change left beside configuration files, for a person to look at: `.dpkg-dist` (ours was kept),
 * `.dpkg-old` (ours was replaced), ucf's the same, `.dpkg-new` of an interruption.
 *
 * What lay there before is written down once, before the first change, beside the terminal log: so a resumed attempt
 * compares with the state before the *first* one. Without that record all there is, is told.
 */
import { basename, dirname, join } from 'node:path';
import * as z from 'zod/mini';
import type { RunCommand } from '../../../host/command.js';
import type { DurableFiles } from '../../../host/durable-files.js';
import type { FileSystem } from '../../../host/file-system.js';
import { ifThere } from '../../../host/if-there.js';
import type { PackagesPlan } from '../../../update/plan.js';
import { aptEnvironment } from './apt-environment.js';
import { packageKey } from './dpkg-database.js';

export interface LeftoverPorts {
  runCommand: RunCommand;
  files: FileSystem;
  durable: DurableFiles;
  root: string;
}

export interface Leftover {
  /** The configuration file. */
  path: string;
  leftover: string;
}

const suffixes = ['dpkg-dist', 'dpkg-old', 'dpkg-new', 'dpkg-bak', 'ucf-dist', 'ucf-old', 'ucf-new'];

const recordSchema = z.strictObject({
  format: z.literal(1),
  conffiles: z.array(z.string()),
  /** Leftovers that were there, with their inode: dpkg never writes into an old one, it renames a new one over it. */
  leftovers: z.record(z.string(), z.int()),
});

export function leftoverRecord(terminalLog: string): string {
  return join(dirname(terminalLog), 'conffiles.json');
}

/** Once for an update: a record that is there already is the right one, unless a cut left a part of it. */
export async function recordLeftovers(
  ports: LeftoverPorts,
  plan: PackagesPlan,
  record: string,
): Promise<void> {
  const before = await ifThere(ports.files.readFile(record));
  if (before !== undefined && isWhole(before)) return;
  const conffiles = await conffilesOf(ports, plan);
  const found = await leftoversBeside(ports, conffiles);
  const leftovers = Object.fromEntries(found.map(({ leftover, inode }) => [leftover, inode]));
  const text = `${JSON.stringify({ format: 1, conffiles, leftovers })}\n`;
  await (before === undefined ? ports.durable.create(record, text) : ports.durable.replace(record, text));
}

export async function leftoversSince(
  ports: LeftoverPorts,
  plan: PackagesPlan,
  record: string | undefined,
): Promise<Leftover[]> {
  const before = record === undefined ? undefined : await readRecord(ports.files, record);
  const conffiles = [...new Set([...(await conffilesOf(ports, plan)), ...(before?.conffiles ?? [])])];
  const found = await leftoversBeside(ports, conffiles);
  return found
    .filter(({ leftover, inode }) => before?.leftovers[leftover] !== inode)
    .map(({ path, leftover }) => ({ path, leftover }));
}

/** Sorted paths of the configuration files of the planned packages, dpkg's and ucf's. */
async function conffilesOf(
  { runCommand, files, root }: LeftoverPorts,
  plan: PackagesPlan,
): Promise<string[]> {
  if (plan.changes.length === 0) return [];
  const keys = plan.changes.map((change) => packageKey(change.name, change.architecture));
  const rooted = root === '/' ? [] : [`--root=${root}`];
  // exits 1 when some are not installed yet; what it prints is right all the same
  const { stdout } = await runCommand('dpkg-query', [...rooted, '-W', '-f', '${Conffiles}\n', ...keys], {
    env: aptEnvironment(),
    extendEnv: false,
  });
  const registry = await files.readFile(join(root, '/var/lib/ucf/registry')).catch(() => '');
  const names = new Set(plan.changes.map((change) => change.name));
  return [...parseConffiles(stdout), ...parseUcfRegistry(registry, names)].sort();
}

export function parseConffiles(text: string): string[] {
  return [...text.matchAll(/^ (\/.+?) (?:[0-9a-f]{32}|newconffile)(?: [a-z-]+)*$/gm)].map(
    ([, path]) => path ?? '',
  );
}

/** Rows `package path`. */
export function parseUcfRegistry(text: string, names: ReadonlySet<string>): string[] {
  return [...text.matchAll(/^(\S+)\s+(\/.*)$/gm)].flatMap(([, name = '', path = '']) =>
    names.has(name) ? [path] : [],
  );
}

async function leftoversBeside(
  { files, root }: LeftoverPorts,
  conffiles: readonly string[],
): Promise<(Leftover & { inode: number })[]> {
  const byFolder = new Map<string, string[]>();
  for (const path of conffiles) byFolder.set(dirname(path), [...(byFolder.get(dirname(path)) ?? []), path]);
  const found: (Leftover & { inode: number })[] = [];
  for (const [folder, paths] of byFolder) {
    const names = new Set(await files.readFolder(join(root, folder)).catch(() => []));
    for (const path of paths) {
      for (const suffix of suffixes.filter((one) => names.has(`${basename(path)}.${one}`))) {
        const leftover = `${path}.${suffix}`;
        const { inode } = await files.lstat(join(root, leftover));
        found.push({ path, leftover, inode });
      }
    }
  }
  return found;
}

/** A part of it is no JSON, since it ends with its brace. */
function isWhole(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function readRecord(
  files: FileSystem,
  record: string,
): Promise<z.infer<typeof recordSchema> | undefined> {
  const text = await files.readFile(record).catch(() => '');
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined; // told too much is better than told nothing
  }
}
