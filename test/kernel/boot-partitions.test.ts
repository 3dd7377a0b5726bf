/**
 * UEFI, /boot an ext4 and the EFI system partition a vfat of its own: no snapshot holds them, and GRUB reads there what the
 * update wrote, until it is put back (docs/fallback.md). A package keeps kernels in the EFI system partition, too.
 */
import t from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { marks } from './kernel-machines.js';
import { fails, isKilled, succeeds } from './scenarios.js';

const layout: DiskLayout = { firmware: 'uefi', root: 'btrfs', separateBoot: true };

void t.test(
  'invariant 4: killed when grub.cfg names the newer kernel and the root that is given up: that one puts both back',
  (t) => isKilled(t, layout, marks.grub, ['reboot', 'up']),
);

void t.test('a postinst fails after grub.cfg named the newer kernel: the files of both are put back', (t) =>
  fails(t, layout),
);

void t.test('a newer kernel and a renewed GRUB boot, in the updated root', (t) =>
  succeeds(t, layout, async (machine, { release }) => {
    const { stdout } = await machine.exec('cd /boot/efi/EFI/lab && cat current && ls');
    t.equal(stdout, `${release}\ncurrent\nvmlinuz-${release}\n`);
    // The call of grub-install was put off until now: GRUB in the EFI system partition is newer than the rest of the update.
    await machine.exec('[ /boot/efi/EFI/BOOT/BOOTX64.EFI -nt /boot/efi/EFI/lab/current ]');
  }),
);
