import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { laboratoryFolder, withLock } from './cache.js';
import { onCleanup } from './cleanup.js';
import { command } from './command.js';
import { processStart, processesRootedIn } from './processes.js';

/**
 * The folder of one machine: `storage/{upper,work}` holds what it writes, `root` is its root, an overlay.
 * `storage` is a tmpfs, or a folder on disk.
 */
export interface MachineFolder {
  path: string;
  /** Unmounts all and removes the folder; also done at the exit of this process. */
  remove: () => void;
}

export interface StorageOptions {
  /** Default memory. On disk for what is cached between processes. */
  storage?: 'memory' | 'disk';
  /** Size of the memory storage, for tests of a full disk. Default: half of the machine's memory. */
  storageMegabytes?: number;
  /** An existing folder that is used as `storage`, and kept. */
  storageFolder?: string;
}

let made = 0;
let sweeping: Promise<void> | undefined;

/**
 * Makes `<laboratory>/machines/<pid>-<start>-<number>`, with nothing in it. `unmountsEverywhere`: a container that is started
 * meanwhile, whoever starts it, has a copy of each mount, and would keep the disk of one that is unmounted here in use.
 */
export async function makeEmptyFolder(
  options: { unmountsEverywhere?: boolean } = {},
): Promise<MachineFolder> {
  const parent = join(laboratoryFolder(), 'machines');
  mkdirSync(parent, { recursive: true });
  sweeping ??= withLock(`${parent}.lock`, () => {
    sweepStale(parent);
    return Promise.resolve();
  });
  await sweeping;
  made += 1;
  const path = join(parent, `${process.pid}-${processStart(process.pid)}-${made}`);
  mkdirSync(path, { recursive: true });
  const remove = onCleanup(() => {
    removeFolder(path);
  });
  if (options.unmountsEverywhere === true) await command(['mount', '--bind', '--make-shared', path, path]);
  return { path, remove };
}

/** A folder with its storage, and the overlay over `lower` (top first). */
export async function makeMachineFolder(
  lower: readonly string[],
  options: StorageOptions = {},
): Promise<MachineFolder> {
  const { path, remove } = await makeEmptyFolder();
  const storage = options.storageFolder ?? join(path, 'storage');
  const root = join(path, 'root');
  mkdirSync(root, { recursive: true });
  mkdirSync(storage, { recursive: true });
  if (options.storageFolder === undefined && options.storage !== 'disk') {
    const size = options.storageMegabytes === undefined ? '' : `,size=${options.storageMegabytes}m`;
    await command(['mount', '-t', 'tmpfs', '-o', `mode=0755${size}`, 'laboratory', storage]);
  }
  mkdirSync(join(storage, 'upper'), { recursive: true, mode: 0o755 });
  mkdirSync(join(storage, 'work'), { recursive: true });
  const layers = `lowerdir=${lower.join(':')},upperdir=${storage}/upper,workdir=${storage}/work`;
  // redirect_dir: a folder of a lower layer can be renamed and exchanged, as on an ordinary file system.
  await command(['mount', '-t', 'overlay', '-o', `${layers},redirect_dir=on`, 'laboratory', root]);
  return { path, remove };
}

/** Takes the overlay away and leaves the storage, which is then a layer for others. */
export async function unmountRoot(folder: MachineFolder): Promise<void> {
  await command(['umount', join(folder.path, 'root')]);
}

/** Machines whose process was killed before it could clean up. */
function sweepStale(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [pid = '', start = ''] = name.split('-');
    if (processStart(Number(pid)) === start) continue;
    const path = join(parent, name);
    // A killed systemd-nspawn leaves its container running, so look for all who see this machine's root.
    for (const each of processesRootedIn(`${path}/`)) killIfThere(each);
    removeFolder(path);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It died with its container's PID 1.
  }
}

function removeFolder(path: string): void {
  for (const mount of ownMounts(path)) {
    // A process that was just killed may still hold the mount for some milliseconds: then detach it.
    if (spawnSync('umount', [mount]).status !== 0) spawnSync('umount', ['--lazy', mount]);
  }
  if (ownMounts(path).length > 0) throw new Error(`cannot unmount ${basename(path)}`);
  rmSync(path, { recursive: true, force: true });
}

function ownMounts(path: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target === path || target.startsWith(`${path}/`))
    .reverse();
}
