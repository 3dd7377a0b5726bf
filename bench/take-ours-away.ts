/** Makes a machine that has our package, and is off, one of the others. */
import { lstatSync } from 'node:fs';
import type { RootFiles } from '../test/laboratory/laboratory.js';

const ofDpkg = '/var/lib/dpkg/info/offline-update';

/**
 * Nothing of ours stands beside the others: no file that dpkg lists stays, nor the script that its trigger runs. In dpkg's
 * own database the package is still there, so that apt and dpkg have the same to read; so are our files in /var, at which
 * nobody looks.
 */
export async function takeOursAway(machine: RootFiles): Promise<void> {
  // the first one is the root, which is a link where the machine is on btrfs
  const [, ...paths] = (await machine.read(`${ofDpkg}.list`)).trim().split('\n');
  for (const path of [...paths, `${ofDpkg}.postinst`]) {
    const isFolder = lstatSync(machine.path(path), { throwIfNoEntry: false })?.isDirectory();
    if (!isFolder) await machine.remove(path);
  }
}
