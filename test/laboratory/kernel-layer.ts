import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.js';
import type { Deb } from './deb-builder.js';
import { debOf } from './deb-builder.js';
import { LaboratoryError } from './laboratory-error.js';
import type { Layer } from './machine.js';
import { Machine } from './machine.js';
import { enableRealUpdates, withArchive } from './real-updates.js';
import { debFromFile } from './repacked-packages.js';
import { rootImage } from './root-image.js';

/** A Debian 13 with one of its own kernels installed, and the package of a newer one. */
export interface KernelLayer {
  layer: Layer;
  /** As `uname -r` tells them. */
  oldRelease: string;
  newRelease: string;
  /** The newer kernel, and the next version of the package that pulls it in, as linux-image-amd64 does. */
  debs: readonly Deb[];
}

/** Raise it when the way of building changes. */
const recipeVersion = 4;
const packages = [
  ...['udev', 'kmod', 'initramfs-tools', 'zstd', 'btrfs-progs', 'e2fsprogs', 'dosfstools'],
  ...['grub-common', 'grub2-common', 'grub-pc-bin', 'grub-efi-amd64-bin'],
];
/** The package whose upgrade is a new kernel. */
export const kernelPackage = 'lab-kernel';
/** initramfs-tools: only what this disk needs, since each initrd is made and read by an emulated processor. */
const initramfs = `MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n`;
const modules = ['virtio_pci', 'virtio_blk'];
/** Those in the list above are loaded by each initrd; these only where the root needs them, as on any Debian. */
const hook = `#!/bin/sh
[ "$1" != prereqs ] || exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules btrfs ext4
`;

/** Built in about a minute from this machine's archive of Debian, then kept; `tools` are further packages of it. */
export async function kernelLayer(tools: readonly string[] = []): Promise<KernelLayer> {
  const base = await rootImage({ packages: [...packages, ...tools] });
  const recipe = { recipeVersion, base: base.folders, initramfs, modules, hook };
  const folder = await cachedFolder('layers', 'kernel', recipe, async (building) => {
    const machine = await Machine.on(base, { storageFolder: building });
    try {
      const [older, newer] = await installOlder(machine);
      await machine.run(['apt-get', 'download', '--quiet=2', newer], {
        ...withArchive,
        args: [...withArchive.args, '--chdir=/srv'],
      });
      const file = (await readdir(machine.path('/srv'))).find((name) => name.endsWith('.deb')) ?? '';
      await mkdir(join(building, 'new'));
      await writeFile(join(building, 'new', file), await readFile(machine.path(join('/srv', file))));
      await machine.remove(join('/srv', file));
      await makeOffline(machine);
      await writeFile(join(building, 'releases.json'), JSON.stringify([older, newer].map(releaseOf)));
      await machine.freeze();
    } finally {
      await machine.dispose();
    }
  });
  const [file = ''] = await readdir(join(folder, 'new'));
  const kernel = await debFromFile(join(folder, 'new', file));
  const releases = JSON.parse(await readFile(join(folder, 'releases.json'), 'utf8')) as [string, string];
  const depends = kernel.spec.name;
  return {
    layer: { folders: [join(folder, 'upper'), ...base.folders] },
    oldRelease: releases[0],
    newRelease: releases[1],
    debs: [kernel, debOf({ name: kernelPackage, version: '2.0', depends })],
  };
}

/** Installs the older of two kernels and returns the names of both packages. */
async function installOlder(machine: Machine): Promise<[older: string, newer: string]> {
  await machine.write('/etc/initramfs-tools/conf.d/laboratory', initramfs);
  await machine.write('/etc/initramfs-tools/modules', `${modules.join('\n')}\n`);
  await machine.write('/etc/initramfs-tools/hooks/laboratory', hook, 0o755);
  await enableRealUpdates(machine);
  await machine.run('apt-get update --quiet=2', withArchive);
  const { stdout } = await machine.run('apt-cache pkgnames linux-image-6 | sort --version-sort --reverse');
  const kernels = stdout
    .split('\n')
    .filter((name) => /^linux-image-[\d.]+\+deb\d+-(cloud-)?amd64$/.test(name));
  const cloud = kernels.filter((name) => name.includes('-cloud-'));
  // Another flavour of the same version where the archive has one version only: its name sorts lower.
  const [newer, older = kernels.find((name) => !name.includes('-cloud-'))] = cloud;
  if (newer === undefined || older === undefined) throw new LaboratoryError('the archive has no two kernels');
  await machine.run(
    `DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends busybox ${older}`,
    {
      ...withArchive,
      timeoutSeconds: 600,
    },
  );
  const first = debOf({ name: kernelPackage, version: '1.0', depends: older });
  await writeFile(machine.path(`/srv/${first.fileName}`), first.content);
  await machine.run(`dpkg --install /srv/${first.fileName} && rm /srv/${first.fileName}`);
  return [older, newer];
}

async function makeOffline(machine: Machine): Promise<void> {
  await machine.remove('/etc/apt/sources.list.d/debian.sources');
  await machine.remove('/etc/apt/apt.conf.d/00laboratory-archive');
  await machine.run('apt-get clean; rm -rf /var/lib/apt/lists/*; mkdir -p /var/lib/apt/lists/partial');
}

function releaseOf(name: string): string {
  return name.slice('linux-image-'.length);
}
