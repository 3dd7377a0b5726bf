/**
 * What a copy is told when its update is proven, so that it can be put back later from a system that has gone on: in its
 * folder `brought`, the names below the walked folders that came with the update (NUL-separated, sorted), `brought.sum`, and
 * `committed`, the SHA-256 of dpkg's status file. units/restore then takes away only what is named there, and puts
 * nothing back once another run of a package manager has changed that file.
 *
 * Errors: `SNAPSHOT_FAILED` with what the program said.
 */
import { join } from 'node:path';
import { exists } from '../../host/exists.js';
import { ifThere, textOf } from '../../host/if-there.js';
import { must, type SavePorts } from './save.js';
import { walkedFolders } from './scope.js';

/**
 * Of an update that was cut, in a boot that was led past it: what comes from now on is not the update's, and is spared. Once,
 * by the first such boot.
 */
export async function notePassedBy(ports: SavePorts, folder: string): Promise<void> {
  if (!(await exists(ports.fs, join(folder, 'brought.sum')))) await noteBrought(ports, folder);
}

/** Once, and durable when it resolves; `committed` comes last. A second call changes nothing: by then the system is another. */
export async function noteCommitted(ports: SavePorts, folder: string): Promise<void> {
  const { fs, files } = ports;
  const committed = join(folder, 'committed');
  if (await exists(fs, committed)) return;
  await noteBrought(ports, folder);
  await files.replace(committed, `${await databaseNow(ports)}\n`);
}

/** A copy of the system before an update fits as long as what that update left behind is what dpkg says. */
export async function fits(ports: Pick<SavePorts, 'fs' | 'paths'>, folder: string): Promise<boolean> {
  const committed = await textOf(ports.fs, join(folder, 'committed'));
  return committed !== '' && committed === `${await databaseNow(ports)}\n`;
}

/** Of its bytes, as the shell sees it: a description may hold what is no UTF-8. */
async function databaseNow({ fs, paths }: Pick<SavePorts, 'fs' | 'paths'>): Promise<string> {
  return (await ifThere(fs.sha256(join(paths.root, '/var/lib/dpkg/status')))) ?? '';
}

async function noteBrought({ fs, run, paths }: SavePorts, folder: string): Promise<void> {
  const walked: string[] = [];
  for (const path of walkedFolders) if (await exists(fs, join(paths.root, path))) walked.push(path.slice(1));
  const present = join(folder, 'present');
  await fs.removeTree(present);
  await fs.createFile(present, '', 0o600);
  if (walked.length > 0) await must(run, 'find', [...walked, '-xdev', '-fprint0', present], paths.root);
  await must(run, 'sort', ['--zero-terminated', '--output', present, present], folder);
  await must(run, 'sh', ['-c', 'comm -z -13 names present >brought'], folder);
  await must(run, 'sh', ['-c', 'sha256sum brought >brought.sum'], folder);
  await fs.unlink(present);
  for (const name of ['brought', 'brought.sum']) await fs.syncFile(join(folder, name));
}
