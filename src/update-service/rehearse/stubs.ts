/**
 * Programs that a maintainer script calls and that would find no disk, no firmware and no kernel to work on in a
 * throw-away copy: their failure would say nothing of the update. In /usr/local/sbin stands one that notes the call and
 * succeeds; the rehearsal tells which were asked for.
 *
 * An initramfs "for this machine only" (MODULES=dep) looks for the disk of the root, which is an overlay here: the
 * copy builds the general one, which is larger.
 */
import { dirname, join } from 'node:path';
import { exists } from '../../host/exists.js';
import type { FileSystem } from '../../host/file-system.js';
import { THROW_AWAY_FOLDER } from './written-layers.js';

const programs = [
  ...['update-grub', 'update-grub2', 'grub-mkconfig', 'grub-install', 'grub-probe', 'grub-bios-setup'],
  ...['bootctl', 'kernel-install', 'efibootmgr', 'mokutil', 'flash-kernel', 'zipl', 'lilo', 'u-boot-update'],
  ...['modprobe', 'insmod', 'rmmod', 'sysctl'],
];
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
/** The first in the PATH of hooks, and of maintainer scripts (apt-environment.ts), whose stand-ins are replaced here. */
const STUB_FOLDERS = ['/usr/local/sbin', '/usr/lib/offline-update/stand-ins'];
const NOTES = join(THROW_AWAY_FOLDER, 'not-run');
const APT = '/etc/apt/apt.conf.d/zz-throw-away';
const SCRIPT_PATH = [...STUB_FOLDERS, ...folders].join(':');
const INITRAMFS = '/etc/initramfs-tools/conf.d/zz-throw-away';

/** The paths that were written: they are none of the update's. */
export async function placeStubs(fs: FileSystem): Promise<Set<string>> {
  const own = new Set<string>();
  const place = async (path: string, text: string): Promise<void> => {
    await fs.makeFolder(dirname(path), 0o755);
    await fs.removeTree(path);
    await fs.createFile(path, text, 0o755);
    own.add(path);
  };
  for (const name of programs) {
    if (!(await isInstalled(fs, name))) continue;
    const text = `#!/bin/sh\necho ${name} >>${NOTES}\necho "rehearsal: ${name} is not run"\n`;
    for (const folder of STUB_FOLDERS) await place(join(folder, name), text);
  }
  if (await exists(fs, dirname(APT))) await place(APT, `DPkg::Path "${SCRIPT_PATH}";\n`);
  if (await exists(fs, dirname(INITRAMFS))) await place(INITRAMFS, 'MODULES=most\n');
  return own;
}

/** Names of the programs that were asked for, each once. */
export async function stubbedCalls(fs: FileSystem): Promise<string[]> {
  const notes = await fs.readFile(NOTES).catch(() => '');
  return [...new Set(notes.split('\n').filter((name) => name !== ''))].sort();
}

async function isInstalled(fs: FileSystem, name: string): Promise<boolean> {
  for (const folder of folders) if (await exists(fs, join(folder, name))) return true;
  return false;
}
