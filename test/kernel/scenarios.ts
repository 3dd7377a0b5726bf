/** What an update with a newer kernel may meet, the same on each layout of a disk, and where the machine must come up. */
import type { Test } from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { treeDifference } from '../laboratory/laboratory.js';
import type { VirtualBoot, VirtualMachine } from '../laboratory/virtual-machine.js';
import {
  armedVirtualMachine,
  marks,
  packages,
  statusOf,
  treeOf,
  versionsOf,
  whereabouts,
  type ArmedMachine,
  type Whereabouts,
} from './kernel-machines.js';

const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));

/** What the boot loader starts, and how it says so. */
export function expected({ root, separateBoot }: DiskLayout, release: string): Whereabouts {
  const folder = { btrfs: '/@/boot', 'btrfs-default': '/@/boot', ext4: '/boot' }[root];
  return {
    release,
    root: root === 'ext4' ? '/' : '/@',
    image: `${separateBoot ? '' : folder}/vmlinuz-${release}`,
  };
}

/** `then` looks at the machine that is up after it. */
export async function succeeds(
  t: Test,
  layout: DiskLayout,
  then: (machine: VirtualMachine, expected: Whereabouts) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const { machine, kernels } = await armedVirtualMachine(t, layout, policyOf(layout));
  hasEnded(t, await machine.bootUntilSettled({ serial: 'installs-grub' }), ['reboot', 'up']);
  t.strictSame(await whereabouts(machine), expected(layout, kernels.newRelease));
  t.strictSame(await versionsOf(machine), updated);
  t.match(await statusOf(machine), { state: 'confirmed' });
  t.notMatch((await machine.exec('cat /boot/grub/grub.cfg')).stdout, /offline-update-/);
  await then(machine, expected(layout, kernels.newRelease));
}

/** After `update-grub` named the newer kernel, a package configured later fails; off, when it is back. */
export async function fails(t: Test, layout: DiskLayout, armed?: ArmedMachine): Promise<VirtualMachine> {
  const { machine, kernels } = armed ?? (await armedVirtualMachine(t, layout, policyOf(layout)));
  const before = await treeOf(machine);
  const boots = await machine.bootUntilSettled({ serial: 'postinst-fails' });
  hasEnded(t, boots, ['reboot', 'up']);
  t.match(boots[0]?.console.join('\n'), marks.grub);
  await isBack(t, machine, expected(layout, kernels.oldRelease), 'INSTALL_FAILED');
  t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
  return machine;
}

/** QEMU is killed at a line of the console; `ends` of the boots from then on. */
export async function isKilled(
  t: Test,
  layout: DiskLayout,
  killAt: RegExp,
  ends: readonly VirtualBoot['ended'][],
): Promise<readonly VirtualBoot[]> {
  const { machine, kernels } = await armedVirtualMachine(t, layout, policyOf(layout));
  const before = await treeOf(machine);
  t.equal((await machine.boot({ killAt, serial: 'holds-after-grub' })).ended, 'killed');
  const boots = await machine.bootUntilSettled();
  hasEnded(t, boots, ends);
  await isBack(t, machine, expected(layout, kernels.oldRelease), 'INSTALL_INTERRUPTED');
  t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
  return boots;
}

export function policyOf({ root }: DiskLayout): string {
  return root === 'ext4' ? 'withoutSnapshots = "copy"\n' : 'snapshot = "require"\n';
}

export function hasEnded(
  t: Test,
  boots: readonly VirtualBoot[],
  ends: readonly VirtualBoot['ended'][],
): void {
  t.strictSame(
    boots.map(({ ended }) => ended),
    ends,
  );
  t.comment(boots.map(({ seconds }) => seconds.toFixed(1)).join(' + '));
}

async function isBack(t: Test, machine: VirtualMachine, where: Whereabouts, code: string): Promise<void> {
  const found = await whereabouts(machine);
  // The default subvolume keeps the name that the snapshot was given.
  t.strictSame({ ...found, root: found.root.replace(/\.offline-update-.*/, '') }, where);
  t.match(await statusOf(machine), { state: 'reverted', reason: { code } });
  t.equal((await machine.exec('dpkg --audit')).stdout, '');
  await machine.stop();
}
