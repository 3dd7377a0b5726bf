/**
 * The paths that the packages of a plan own at present: dpkg's lists of each package that is replaced or removed, with
 * the names that a diversion gave to them. Errors: `SNAPSHOT_FAILED` for a name that is not UTF-8.
 */
import { join } from 'node:path';
import type { FileSystem } from '../../host/file-system.js';
import { textOf } from '../../host/if-there.js';
import { UpdateError } from '../../update/errors.js';
import type { PackageChange } from '../../update/plan.js';

export async function ownedPaths(
  fs: FileSystem,
  root: string,
  changes: readonly PackageChange[],
): Promise<string[]> {
  const database = join(root, '/var/lib/dpkg');
  const diversions = parseDiversions(await textOf(fs, join(database, 'diversions')));
  const owned = new Set<string>();
  for (const { name, architecture, from } of changes) {
    if (from === null) continue;
    for (const list of [`${name}.list`, `${name}:${architecture}.list`]) {
      for (const path of parseList(await textOf(fs, join(database, 'info', list)), list)) {
        owned.add(path);
        const diverted = diversions.get(path);
        if (diverted !== undefined) owned.add(diverted);
      }
    }
  }
  return [...owned];
}

/** One absolute path a line; the root is `/.`. */
export function parseList(text: string, what: string): string[] {
  if (text.includes('\uFFFD')) {
    throw new UpdateError('SNAPSHOT_FAILED', `${what} of dpkg holds a file name that is not UTF-8`);
  }
  return text.split('\n').filter((line) => line.startsWith('/') && line !== '/.');
}

/** Three lines each: the path, where it went, and for whom (`:` for everybody). */
export function parseDiversions(text: string): Map<string, string> {
  const lines = text.split('\n');
  const diversions = new Map<string, string>();
  for (let at = 0; at + 2 < lines.length; at += 3) diversions.set(lines[at] ?? '', lines[at + 1] ?? '');
  return diversions;
}
