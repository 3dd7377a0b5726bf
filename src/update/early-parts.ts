/**
 * What is read before systemd, or only once in a boot: seen before and after an install, it tells whether a soft-reboot is
 * still enough. A maintainer script or a hook may have made an initramfs that no package name told of.
 */
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import { ifThere, namesIn } from '../host/if-there.js';
import { REBOOT_REQUIRED } from './reboot-required.js';

const files = [
  '/etc/fstab',
  '/etc/crypttab',
  '/etc/kernel/cmdline',
  '/etc/default/grub',
  '/usr/lib/systemd/systemd',
  REBOOT_REQUIRED,
];
const folders = [
  '/boot',
  '/boot/grub',
  '/boot/firmware',
  '/boot/loader/entries',
  '/boot/efi/EFI/Linux',
  '/efi/EFI/Linux',
  '/boot/efi/loader/entries',
  '/efi/loader/entries',
  '/etc/default/grub.d',
];
/** By the release of their kernel. A module that is in use stays the old one, and so may that in an initramfs. */
export const MODULES = '/usr/lib/modules';

/** Written by the boot loader and by tools at any time. */
const restless = /^(grubenv|random-seed)$/;

export type EarlyParts = ReadonlyMap<string, string>;

/** With an empty string at paths where nothing is, or a folder. */
export async function readEarlyParts(fs: FileSystem, root: string): Promise<EarlyParts> {
  const listed = await Promise.all(
    folders.map(async (folder) => {
      const names = await namesIn(fs, join(root, folder));
      return names.filter((name) => !restless.test(name)).map((name) => join(folder, name));
    }),
  );
  const releases = await namesIn(fs, join(root, MODULES));
  // depmod replaces it each time, whoever has built, brought or taken away a module.
  const modules = releases.map((release) => join(MODULES, release, 'modules.dep'));
  const rows = [...files, ...listed.flat(), ...modules].map(async (path): Promise<[string, string]> => {
    const entry = await ifThere(fs.lstat(join(root, path)));
    // The inode is another one where a file was replaced; size and mtime are where it was written in place (update-grub).
    // Not the ctime, which a hard link changes: that is how the copy saves it.
    return [path, entry && entry.kind !== 'folder' ? `${entry.inode} ${entry.size} ${entry.written}` : ''];
  });
  return new Map(await Promise.all(rows));
}

/** Paths that came, went, or are other files now. */
export function changedParts(before: EarlyParts, after: EarlyParts): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => (before.get(path) ?? '') !== (after.get(path) ?? '')).sort();
}
