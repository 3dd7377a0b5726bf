/** A real kernel and a real GRUB: what boots next is what the boot loader finds on the disk (invariant 4, docs/fallback.md). */
import t from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { marks, whereabouts } from './kernel-machines.js';
import { fails, isKilled, succeeds } from './scenarios.js';

const layout: DiskLayout = { firmware: 'bios', root: 'btrfs', separateBoot: false };

void t.test('a newer kernel and a renewed GRUB: they boot, in the updated root', (t) =>
  succeeds(t, layout, async (machine, expected) => {
    // The GRUB that was written after the update finds all it needs without the root that it replaced.
    await machine.exec('offline-update clean; rmdir /run/top 2>/dev/null; mkdir /run/top');
    await machine.exec(
      'mount -o subvolid=5 /dev/vda2 /run/top && btrfs subvolume delete /run/top/@.offline-update-*',
    );
    await machine.stop();
    await machine.start();
    t.strictSame(await whereabouts(machine), expected, 'and again, when the old root is gone');
  }),
);

void t.test(
  'a postinst fails after grub.cfg named the newer kernel: GRUB boots the old one, in the old root',
  (t) => fails(t, layout),
);

for (const [moment, killAt] of [
  ['while the initrd of the newer kernel is made', marks.initrd],
  ['right after update-grub named the newer kernel', marks.grub],
] as const) {
  void t.test(`invariant 4: killed ${moment}, GRUB boots the old kernel in the old root`, (t) =>
    isKilled(t, layout, killAt, ['up']),
  );
}
