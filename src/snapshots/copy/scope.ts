/**
 * What a copy holds beside the files of the planned packages: the folders and files that maintainer scripts and triggers
 * write. docs/copy.md tells a person; units/restore takes it from the lists in the copy, never from here.
 */
import { dirname, join } from 'node:path';

/** Saved with all that is in them; what is new in them goes when they are put back. Never across a mount. */
export const wholeFolders = [
  '/etc',
  '/boot',
  '/var/lib/dpkg',
  // The kernels that have an initrd, up to Debian 12: `update-initramfs -u` would take one that is gone for the newest.
  '/var/lib/initramfs-tools',
  '/var/lib/pam',
  // Which versions of Python are installed: with one that is gone on record, its modules would not be compiled when it comes again.
  '/var/lib/python',
  '/var/lib/ucf',
  '/var/cache/debconf',
  '/var/lib/systemd/deb-systemd-helper-enabled',
  '/var/lib/systemd/deb-systemd-helper-masked',
  '/var/lib/systemd/deb-systemd-user-helper-enabled',
  '/var/lib/systemd/deb-systemd-user-helper-masked',
] as const;

/** Of those, the ones that only dpkg writes, which never writes into a file but renames a new one over it. */
export const dpkgFolders = ['/var/lib/dpkg/info', '/var/lib/dpkg/alternatives'] as const;

export const singleFiles = [
  '/var/lib/apt/extended_states',
  '/var/lib/shells.state',
  '/var/cache/ldconfig/aux-cache',
] as const;

/** The names of all files in them are noted: what is new when they are put back goes. */
export const walkedFolders = ['/usr', '/opt'] as const;

/** Belong to no package, and are made anew by scripts and triggers: a test of find(1) for each, which begins at `usr`. */
export const generatedFiles: readonly (readonly string[])[] = [
  ['-type', 'l', '-lname', '/etc/alternatives/*'],
  ['-type', 'f', '-path', 'usr/share/mime/*'],
  ['-type', 'f', '-path', 'usr/share/info/dir*'],
  ['-type', 'f', '-path', 'usr/lib/modules/*/modules.*'],
  ...[
    'gconv-modules.cache',
    'giomodule.cache',
    'gschemas.compiled',
    'hwdb.bin',
    'icon-theme.cache',
    'loaders.cache',
    'mimeinfo.cache',
    'locale-archive',
  ].map((name) => ['-type', 'f', '-name', name]),
];

/** Never in a copy: put back, they would lead the machine into the next update boot. */
export const neverSaved = ['/etc/system-update', '/etc/system-update.claimed'] as const;

/**
 * Where Python keeps what it has compiled of this file, which no package owns (PEP 3147): `py3clean` deletes it, `py3compile` makes
 * it anew, and Python itself replaces it by a rename, so that a hard link is good for it.
 */
export function pythonCacheOf(path: string): string | undefined {
  return path.endsWith('.py') ? join(dirname(path), '__pycache__') : undefined;
}

export function isInWholeFolder(path: string): boolean {
  return wholeFolders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
