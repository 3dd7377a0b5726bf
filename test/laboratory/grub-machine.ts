import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachedFolder } from './cache.js';
import type { Deb } from './deb-builder.js';
import { makeDiskImage, partitionsOf, type DiskLayout } from './disk-image.js';
import { kernelLayer, type KernelLayer } from './kernel-layer.js';
import { Machine, type Layer } from './machine.js';
import { putRepository } from './repository.js';
import { VirtualMachine } from './virtual-machine.js';

/** Raise it when the way of building changes. */
const recipeVersion = 2;

/** Reads a script a line, base64, from the second serial port, and answers in one line. */
const shell = `#!/bin/sh
exec <>/dev/ttyS1 >&0
stty raw -echo
echo 'lab-shell ready'
while IFS= read -r line; do
  printf %s "$line" | base64 --decode >/run/lab-script
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb \\
    sh /run/lab-script </dev/null >/run/lab-stdout 2>/run/lab-stderr
  echo "lab-result $? =$(base64 --wrap=0 /run/lab-stdout) =$(base64 --wrap=0 /run/lab-stderr)"
done
`;
const shellUnit = `[Unit]
After=multi-user.target
[Service]
ExecStart=/usr/local/sbin/lab-shell
`;
const grubDefaults = `GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_RECORDFAIL_TIMEOUT=0
GRUB_DISTRIBUTOR=Debian
GRUB_CMDLINE_LINUX_DEFAULT=quiet
GRUB_CMDLINE_LINUX="console=ttyS0 mitigations=off nowatchdog panic=1"
GRUB_TERMINAL="serial console"
`;
/** Debian's names the subvolume in any case; openSUSE's, where this is the layout, does not. */
const bootsByDefault = "sed -i 's/rootflags=subvol=${rootsubvol} //' /etc/grub.d/10_linux";
/** A login prompt would hang up what else writes to the port; the other is slow and does nothing here. */
const masked = ['serial-getty@ttyS0.service', 'getty@tty1.service', 'e2scrub_reap.service'];

export const grubInstall: Readonly<Record<DiskLayout['firmware'], string>> = {
  bios: 'grub-install --target=i386-pc /dev/vda',
  uefi: 'grub-install --target=x86_64-efi --efi-directory=/boot/efi --no-nvram --removable',
};

export interface GrubMachineOptions {
  /** Installed before GRUB is. */
  installed: readonly Deb[];
  /** Offered by the repository of the machine, besides the newer kernel. */
  offered: readonly Deb[];
  /** Further packages of Debian. */
  tools?: readonly string[];
}

/**
 * The image of a Debian 13 that boots from its disk by GRUB, which its own `grub-install` and `update-grub` put there, in a
 * boot of it. Some two minutes for each layout, then kept.
 */
export async function grubImage(
  layout: DiskLayout,
  { installed, offered, tools }: GrubMachineOptions,
): Promise<{ image: string; kernels: KernelLayer }> {
  const kernels = await kernelLayer(tools);
  const debs = [...installed, ...offered].map(({ sha256 }) => sha256);
  const recipe = {
    recipeVersion,
    layout,
    layer: kernels.layer.folders,
    debs,
    shell,
    grubDefaults,
    grubInstall,
  };
  const folder = await cachedFolder(
    'disks',
    [layout.firmware, layout.root, ...(layout.separateBoot ? ['boot'] : [])].join('-'),
    recipe,
    async (building) => {
      const machine = await Machine.on(kernels.layer);
      try {
        await prepareRoot(machine, installed, [...offered, ...kernels.debs]);
        if (layout.root === 'btrfs-default') await machine.run(bootsByDefault);
        const image = join(building, 'disk.raw');
        await makeDiskImage(image, layout, await machine.freeze(), building);
        await installGrub(building, layout, kernels.layer);
      } finally {
        await machine.dispose();
      }
    },
  );
  return { image: join(folder, 'disk.raw'), kernels };
}

async function prepareRoot(
  machine: Machine,
  installed: readonly Deb[],
  offered: readonly Deb[],
): Promise<void> {
  await mkdir(machine.path('/srv/install'), { recursive: true });
  for (const deb of installed) await writeFile(machine.path(`/srv/install/${deb.fileName}`), deb.content);
  await machine.run('dpkg --install --force-unsafe-io /srv/install/*.deb', { args: ['--suppress-sync=yes'] });
  await machine.remove('/srv/install');
  await putRepository(machine, offered);
  await machine.run('apt-get update --quiet=2');
  await machine.write('/etc/default/grub', grubDefaults);
  await machine.write('/usr/local/sbin/lab-shell', shell);
  await machine.write('/etc/systemd/system/lab-shell.service', shellUnit);
  const wants = '/etc/systemd/system/multi-user.target.wants/lab-shell.service';
  await machine.link('../lab-shell.service', wants);
  for (const unit of masked) await machine.link('/dev/null', `/etc/systemd/system/${unit}`);
}

/** In a boot by the emulator's own loader. */
async function installGrub(building: string, layout: DiskLayout, layer: Layer): Promise<void> {
  const source = await Machine.on(layer);
  const image = join(building, 'disk.raw');
  const machine = await VirtualMachine.of(image, layout);
  try {
    const names = await readdir(source.path('/boot'));
    const named = (prefix: string) =>
      source.path(join('/boot', names.find((each) => each.startsWith(prefix)) ?? ''));
    const number = partitionsOf(layout).find(({ role }) => role === 'root')?.number ?? 0;
    const flags = layout.root === 'btrfs' ? ' rootflags=subvol=@' : '';
    await machine.start({
      kernel: {
        kernel: named('vmlinuz-'),
        initrd: named('initrd.img-'),
        words: `root=/dev/vda${number} rw${flags} console=ttyS0 quiet mitigations=off panic=1`,
      },
    });
    await machine.exec(`${grubInstall[layout.firmware]} && update-grub`);
    await machine.stop();
    await machine.saveTo(image);
  } finally {
    await machine.dispose();
    await source.dispose();
  }
}
