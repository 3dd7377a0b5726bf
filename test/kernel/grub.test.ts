/** A real kernel and a real GRUB: what boots next is what the boot loader finds on the disk (invariant 4, docs/fallback.md). */
import t from 'tap';
import { treeDifference } from '../laboratory/laboratory.js';
import type { DiskLayout } from '../laboratory/disk-image.js';
import {
  armedVirtualMachine,
  marks,
  packages,
  statusOf,
  treeOf,
  versionsOf,
  whereabouts,
} from './kernel-machines.js';

const layout: DiskLayout = { firmware: 'bios', root: 'btrfs', separateBoot: false };
const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));

void t.test('a newer kernel and a renewed GRUB: they boot, in the updated root', async (t) => {
  const { machine, kernels } = await armedVirtualMachine(t, layout);
  const boots = await machine.bootUntilSettled({ serial: 'installs-grub' });
  t.strictSame(
    boots.map(({ ended }) => ended),
    ['reboot', 'up'],
  );
  t.comment(boots.map(({ seconds }) => seconds.toFixed(1)).join(' + '));
  const expected = {
    release: kernels.newRelease,
    root: '/@',
    image: `/@/boot/vmlinuz-${kernels.newRelease}`,
  };
  t.strictSame(await whereabouts(machine), expected);
  t.strictSame(await versionsOf(machine), updated);
  t.match(await statusOf(machine), { state: 'confirmed' });
  t.notMatch((await machine.exec('cat /boot/grub/grub.cfg')).stdout, /offline-update-/);
  // The GRUB that was written after the update finds all it needs without the root that it replaced.
  await machine.exec('offline-update clean; rmdir /run/top 2>/dev/null; mkdir /run/top');
  await machine.exec(
    'mount -o subvolid=5 /dev/vda2 /run/top && btrfs subvolume delete /run/top/@.offline-update-*',
  );
  await machine.stop();
  await machine.start();
  t.strictSame(await whereabouts(machine), expected, 'and again, when the old root is gone');
});

void t.test(
  'a postinst fails after grub.cfg named the newer kernel: GRUB boots the old one, in the old root',
  async (t) => {
    const { machine, kernels } = await armedVirtualMachine(t, layout);
    const before = await treeOf(machine);
    const boots = await machine.bootUntilSettled({ serial: 'postinst-fails' });
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['reboot', 'up'],
    );
    t.comment(boots.map(({ seconds }) => seconds.toFixed(1)).join(' + '));
    t.match(boots[0]?.console.join('\n'), marks.grub);
    t.strictSame(await whereabouts(machine), {
      release: kernels.oldRelease,
      root: '/@',
      image: `/@/boot/vmlinuz-${kernels.oldRelease}`,
    });
    t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'INSTALL_FAILED' } });
    await machine.stop();
    t.strictSame(treeDifference(before, await treeOf(machine)), []);
  },
);

for (const [moment, killAt] of [
  ['while the initrd of the newer kernel is made', marks.initrd],
  ['right after update-grub named the newer kernel', marks.grub],
] as const) {
  void t.test(`invariant 4: killed ${moment}, GRUB boots the old kernel in the old root`, async (t) => {
    const { machine, kernels } = await armedVirtualMachine(t, layout);
    const before = await treeOf(machine);
    t.equal((await machine.boot({ killAt, serial: 'holds-after-grub' })).ended, 'killed');
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['up'],
    );
    t.strictSame(await whereabouts(machine), {
      release: kernels.oldRelease,
      root: '/@',
      image: `/@/boot/vmlinuz-${kernels.oldRelease}`,
    });
    t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'INSTALL_INTERRUPTED' } });
    await machine.stop();
    t.strictSame(treeDifference(before, await treeOf(machine)), []);
  });
}
