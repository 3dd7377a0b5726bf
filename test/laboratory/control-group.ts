import { mkdirSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const enterAndRun =
  'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit; shift; done; shift; exec "$@"';

/**
 * A control group of its own for a container. systemd-nspawn puts the payload of each container into the group `payload`
 * below the one that it was started in: two containers started from one group share the groups of all their units, so that
 * the systemd of one counts the processes of the other, and removes a group in which the other is about to start a unit.
 */
export class ControlGroup {
  readonly #folders: readonly string[];

  constructor(name: string) {
    this.#folders = hierarchies().map((folder) => join(folder, name));
    for (const folder of this.#folders) mkdirSync(folder, { recursive: true });
  }

  /** A command line that runs `argv` in this group. */
  commandLine(argv: readonly string[]): string[] {
    return ['/bin/sh', '-c', enterAndRun, 'sh', ...this.#folders, '--', ...argv];
  }

  /** After the end of all its processes; a group that still has one stays. */
  remove(): void {
    for (const folder of this.#folders) removeGroups(folder);
  }
}

/** Our own group in each hierarchy that systemd keeps its units in: the unified one, and the named one of version 1. */
function hierarchies(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const own = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  return own.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const type =
      controllers === '' ? / - cgroup2 / : controllers === 'name=systemd' ? / - cgroup .*name=systemd/ : null;
    const mountPoint = type && mounts.find((mount) => type.test(mount))?.split(' ')[4];
    return mountPoint && path !== undefined ? [join(mountPoint, path)] : [];
  });
}

function removeGroups(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true }))
      if (entry.isDirectory()) removeGroups(join(folder, entry.name));
    rmdirSync(folder);
  } catch {
    // Gone already, or still in use.
  }
}
