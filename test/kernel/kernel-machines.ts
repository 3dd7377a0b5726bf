/**
 * Machines with a disk, GRUB and a kernel of their own, on which the .deb is installed and an update armed that brings a
 * newer kernel. What it meets is told to each boot by the machine's serial number.
 */
import { createHash } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import { ownPaths } from '../fixtures/own-paths.js';
import { cachedFolder } from '../laboratory/cache.js';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { grubImage, grubInstall } from '../laboratory/grub-machine.js';
import { kernelPackage, type KernelLayer } from '../laboratory/kernel-layer.js';
import { debOf, fixturePackages, tinyPackages, type DebSpec, type Tree } from '../laboratory/laboratory.js';
import { VirtualMachine } from '../laboratory/virtual-machine.js';

const plain = ['lab-good', ...tinyPackages(5)];
export const packages = [...plain, 'lab-fault', kernelPackage];

/** The serial number of a boot says what its update meets: postinst-fails, holds-after-grub, installs-grub. */
const serial = 'fault=$(cat /sys/class/dmi/id/product_serial)\n';
const say = (text: string) => `echo 'lab: ${text}' >/dev/ttyS0\n`;
/** Lines of the console, to kill at. */
export const marks = { initrd: /lab: kernel unpacked/, grub: /lab: grub\.cfg written/ };

/** What packages do that keep kernels in the EFI system partition: a new file, and one that names it. */
const onSystemPartition = `lab=/boot/efi/EFI/lab
if [ -d $lab ]; then cp "/boot/vmlinuz-$1" $lab; echo "$1" >$lab/current; fi
`;
/** Hooks before and after those that make the initrd and write grub.cfg. Where it holds, all that was written is on the disk. */
const hooks = {
  '/etc/kernel/postinst.d/00-lab': `#!/bin/sh\n${say('kernel unpacked')}`,
  '/etc/kernel/postinst.d/zzz-lab': `#!/bin/sh
${serial}${onSystemPartition}[ "$fault" != holds-after-grub ] || sync
${say('grub.cfg written')}[ "$fault" != holds-after-grub ] || sleep infinity
`,
};
const faultPackage = (version: string, further: Partial<DebSpec> = {}): DebSpec => ({
  name: 'lab-fault',
  version,
  files: hooks,
  ...further,
});
/** Configured after the kernel, so that grub.cfg names it already. */
const secondFault = (install: string): Partial<DebSpec> => ({
  depends: `${kernelPackage} (= 2.0)`,
  scripts: {
    postinst: `${serial}case $fault in
postinst-fails) echo "lab: failing" >&2; exit 1 ;;
installs-grub) ${install} ;;
esac`,
  },
});

export interface ArmedMachine {
  machine: VirtualMachine;
  kernels: KernelLayer;
}

/** Off; the next boot is the update boot. Made once for each build of the package and each layout, then copied. */
export async function armedVirtualMachine(
  t: Test,
  layout: DiskLayout,
  policy = 'snapshot = "require"\n',
  tools: readonly string[] = [],
): Promise<ArmedMachine> {
  const specs = plain.map((name) => fixturePackages.get(name));
  const { image, kernels } = await grubImage(layout, {
    installed: [...specs.flatMap((each) => each?.v1 ?? []), faultPackage('1.0')].map(debOf),
    offered: [
      ...specs.flatMap((each) => each?.v2 ?? []),
      faultPackage('2.0', secondFault(grubInstall[layout.firmware])),
    ].map(debOf),
    tools,
  });
  const own = await readFile(packageUnderTest());
  const recipe = { image, policy, own: createHash('sha256').update(own).digest('hex') };
  const armed = await cachedFolder('disks', 'armed', recipe, async (building) => {
    const machine = await VirtualMachine.of(image, layout);
    try {
      await arm(machine, policy);
      await machine.saveTo(join(building, 'disk.raw'));
    } finally {
      await machine.dispose();
    }
  });
  const machine = await VirtualMachine.of(join(armed, 'disk.raw'), layout);
  t.teardown(() => machine.dispose());
  return { machine, kernels };
}

async function arm(machine: VirtualMachine, policy: string): Promise<void> {
  await machine.files((root) => copyFile(packageUnderTest(), join(root, 'srv/own.deb')));
  await machine.start();
  await machine.exec(`dpkg --install /srv/own.deb && rm /srv/own.deb`);
  await machine.exec(`printf '${policy.replaceAll('\n', '\\n')}' >/etc/offline-update/config.d/50-test.toml`);
  await machine.exec(
    '[ ! -d /boot/efi ] || { mkdir /boot/efi/EFI/lab && uname -r >/boot/efi/EFI/lab/current; }',
  );
  await machine.exec('offline-update prepare --full --no-refresh');
  // A rehearsal is another install, on an emulated processor.
  await machine.exec('offline-update trigger --no-rehearse');
  await machine.stop();
}

/** Where it came up: kernel, root, and what the boot loader was told. */
export interface Whereabouts {
  release: string;
  root: string;
  image: string;
}

export async function whereabouts(machine: VirtualMachine): Promise<Whereabouts> {
  const { stdout } = await machine.exec(
    'uname -r; findmnt -no FSROOT /; sed "s/.*BOOT_IMAGE=\\([^ ]*\\).*/\\1/" /proc/cmdline',
  );
  const [release = '', root = '', image = ''] = stdout.trim().split('\n');
  return { release, root, image };
}

export async function versionsOf(machine: VirtualMachine): Promise<Record<string, string>> {
  const format = '${Package} ${db:Status-Abbrev}${Version}\\n';
  const { stdout } = await machine.exec(`dpkg-query --show --showformat='${format}' ${packages.join(' ')}`);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ii '))
      .map(([name = '', version = 'not whole']) => [name, version]),
  );
}

export async function statusOf(machine: VirtualMachine): Promise<Record<string, unknown>> {
  const { stdout } = await machine.exec('offline-update status --json', { check: false });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/**
 * Everything but what is ours, the record of the update and the trigger that led into it; and what a copy leaves: logs, and
 * what the script of a package wrote in a place of its own.
 */
export function treeOf(machine: VirtualMachine): Promise<Tree> {
  const logs = ['/var/log/dpkg.log', '/var/log/alternatives.log', '/var/log/apt'];
  const left = ['/var/lib/system-update', '/var/lib/lab-good.environment', ...logs];
  return machine.tree({ exclude: machine.layout.root === 'ext4' ? [...ownPaths, ...left] : ownPaths });
}
