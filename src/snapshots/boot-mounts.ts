/**
 * What the boot loader and the firmware read, where it is a file system of its own: /boot, /efi, and whatever is mounted
 * below /boot (/boot/efi, /boot/firmware of a Raspberry Pi, a second EFI system partition beside the first).
 */
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import type { Mount } from '../host/mounts.js';
import type { Paths } from '../update/paths.js';

export interface BootMountPorts {
  fs: FileSystem;
  paths: Paths;
}

/** Paths in the root, what lies in another after it. What is mounted on demand (autofs) is looked into first: that mounts it. */
export async function bootMounts(
  { fs, paths }: BootMountPorts,
  readMounts: () => Promise<readonly Mount[]>,
): Promise<string[]> {
  const boot = join(paths.root, 'boot');
  const efi = join(paths.root, 'efi');
  const isPlace = ({ target }: Mount): boolean =>
    target === boot || target === efi || target.startsWith(`${boot}/`);
  const places = async (): Promise<Mount[]> => (await readMounts()).filter(isPlace);
  const before = await places();
  if (before.length === 0) return [];
  for (const { target, type } of before) {
    if (type !== 'autofs') continue;
    try {
      await fs.readFolder(target);
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EACCES')) throw error;
    }
  }
  const mounted = (await places()).filter(({ type }) => type !== 'autofs').map(({ target }) => target);
  const inRoot = (target: string): string => (paths.root === '/' ? target : target.slice(paths.root.length));
  return [...new Set(mounted.map(inRoot))].sort();
}
