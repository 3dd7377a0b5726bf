/**
 * Mounted file systems, from proc_pid_mountinfo(5), and whether a folder can be written.
 */
import { readFileSync } from 'node:fs';
import { access, constants, realpath, stat } from 'node:fs/promises';
import { unescapeOctal } from './octal-escapes.js';

export interface Mount {
  target: string;
  source: string;
  type: string;
  /** `major:minor` of the file system: all subvolumes and bind mounts of one have the same. */
  device: string;
  /** Of the mount, then of the file system; `ro` of either makes it read-only. */
  options: string[];
  writable: boolean;
  /** The folder of the file system that is mounted: `/@` of a btrfs subvolume, for one. */
  root: string;
}

/**
 * In the order of mounting: of two on the same target the last is the one to be seen. The kernel tells it from memory: the
 * five ways through the thread pool that it would take otherwise are what a sync of the disks waited for.
 */
export function readMounts(path = '/proc/self/mountinfo'): Promise<Mount[]> {
  return new Promise((resolve) => {
    const lines = readFileSync(path, 'utf8').split('\n');
    resolve(lines.filter((line) => line !== '').map(parseMount));
  });
}

/** As a test says in the kernel's place, else as it is. */
export function mountsOf({ kernel }: { kernel?: { mounts(): Promise<Mount[]> } }): Promise<Mount[]> {
  return kernel?.mounts() ?? readMounts();
}

/** The mount that holds an absolute path without links; undefined only when `mounts` has no root. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    if (!isWithin(path, mount.target)) continue;
    if (best === undefined || mount.target.length >= best.target.length) best = mount;
  }
  return best;
}

/** Tried for real: for root, access(2) refuses only what is mounted read-only or immutable. */
export async function isWritableFolder(path: string, mountinfo?: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isDirectory()) return false;
    await access(path, constants.W_OK | constants.X_OK);
    return mountOf(await realpath(path), await readMounts(mountinfo))?.writable ?? true;
  } catch {
    return false;
  }
}

/**
 * `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: the count of optional fields
 * before the dash varies.
 */
function parseMount(line: string): Mount {
  const fields = line.split(' ');
  const dash = fields.indexOf('-', 6);
  const [type = '', source = '', superOptions = ''] = fields.slice(dash + 1);
  const options = [...splitOptions(fields[5] ?? ''), ...splitOptions(superOptions)];
  return {
    target: unescapeOctal(fields[4] ?? ''),
    source: unescapeOctal(source),
    type,
    device: fields[2] ?? '',
    options,
    writable: !options.includes('ro'),
    root: unescapeOctal(fields[3] ?? ''),
  };
}

function splitOptions(text: string): string[] {
  return text.split(',').filter((option) => option !== '');
}

function isWithin(path: string, folder: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}
