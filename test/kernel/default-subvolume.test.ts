/**
 * The root is the default subvolume and nothing names it: the kernel that GRUB finds in /boot starts whatever is the
 * default. A newer kernel that was already in /boot may so start the old root, which has no modules for it; that of vfat
 * is one, without which the EFI system partition cannot be mounted, and nothing be put back.
 */
import t from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { marks } from './kernel-machines.js';
import { isKilled, succeeds } from './scenarios.js';

const layout: DiskLayout = { firmware: 'uefi', root: 'btrfs-default', separateBoot: true };

void t.test(
  'invariant 4: killed when grub.cfg names the newer kernel: it starts the old root, is lent its modules, and puts all back',
  async (t) => {
    const [first] = await isKilled(t, layout, marks.grub, ['reboot', 'up']);
    t.match(first?.console.join('\n'), /has its modules in @ only: lent until the reboot/);
  },
);

void t.test('a newer kernel and a renewed GRUB boot, in the updated root, which is the default again', (t) =>
  succeeds(t, layout, async (machine) => {
    const { stdout } = await machine.exec('btrfs subvolume get-default /');
    t.match(stdout, /^ID \d+ gen \d+ top level 5 path @\n$/);
  }),
);
