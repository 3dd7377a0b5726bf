/**
 * snapper(8), where it has a configuration for `/`: an update appears there as a pre and a post snapshot with the
 * userdata `offline-update=<id>`, to be compared by `snapper status` and removed by its own algorithm `number`. They
 * are beside our fallback and not the way back: snapper's snapshots are read-only and do not boot.
 *
 * Errors: `SNAPSHOT_FAILED`; HostError `COMMAND_NOT_FOUND`.
 */
import { join } from 'node:path';
import type { RunCommand } from '../host/command.js';
import type { FileSystem } from '../host/file-system.js';
import { namesIn, textOf } from '../host/if-there.js';
import { UpdateError } from '../update/errors.js';
import type { Paths } from '../update/paths.js';

export interface SnapperPorts {
  fs: FileSystem;
  paths: Paths;
  run: RunCommand;
}

const timeoutSeconds = 120;

/** The name of the configuration of `/`, mostly `root`; undefined when there is none. */
export async function snapperConfiguration({ fs, paths }: SnapperPorts): Promise<string | undefined> {
  const folder = join(paths.root, '/etc/snapper/configs');
  for (const name of await namesIn(fs, folder)) {
    if (/^SUBVOLUME=(["']?)\/\1\s*$/m.test(await textOf(fs, join(folder, name)))) return name;
  }
  return undefined;
}

/** The number of the new snapshot. Without `pre` it is the first of a pair, else the second of that one. */
export async function snapperSnapshot(
  { run }: SnapperPorts,
  configuration: string,
  id: string,
  pre?: number,
): Promise<number> {
  const type = pre === undefined ? ['--type', 'pre'] : ['--type', 'post', '--pre-number', String(pre)];
  const args = [
    // In the update boot there is no snapperd, and no bus that could start it.
    ...['--no-dbus', '--config', configuration, 'create', ...type, '--print-number'],
    ...['--cleanup-algorithm', 'number', '--userdata', `offline-update=${id}`],
    ...['--description', `offline-update ${id}`],
  ];
  const { exitCode, stdout, stderr } = await run('snapper', args, { env: { LC_ALL: 'C' }, timeoutSeconds });
  const number = Number(stdout.trim());
  if (exitCode === 0 && Number.isInteger(number) && number > 0) return number;
  throw new UpdateError('SNAPSHOT_FAILED', `snapper: ${stderr.trim() || stdout.trim() || 'no snapshot'}`);
}
