/**
 * All on a machine by which apt decides what it does with the sealed packages and the sealed `apt.conf`: dpkg's
 * database with versions, states, dependencies and holds, what was installed automatically, the architectures, and apt's own
 * configuration, which is read before the sealed one. apt itself is a package: another apt is another database. As
 * long as the SHA-256 over all of it is the same, so is the answer of a simulation.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../../../host/file-system.js';
import { isErrno } from '../../../host/host-error.js';

const single = [
  '/var/lib/dpkg/status',
  '/var/lib/dpkg/arch',
  '/var/lib/apt/extended_states',
  '/etc/apt/apt.conf',
];
const settings = '/etc/apt/apt.conf.d';

/** Undefined when it cannot be told: a configuration that includes files from elsewhere. */
export async function decisionInputs(files: FileSystem, root: string): Promise<string | undefined> {
  const names = (await orMissing(files.readFolder(join(root, settings)))) ?? [];
  const paths = [...single, ...names.map((name) => join(settings, name))];
  const texts = await Promise.all(paths.map((path) => orMissing(files.readFile(join(root, path)))));
  const hash = createHash('sha256');
  for (const [index, path] of paths.entries()) {
    const text = texts[index];
    if (path.startsWith('/etc/') && text?.includes('#include') === true) return undefined;
    hash.update(JSON.stringify([path, text?.length ?? null]));
    hash.update(text ?? '');
  }
  return hash.digest('hex');
}

async function orMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}
