/** No snapshots: the root is ext4, and the kernel, its initrd and grub.cfg are put back from a copy (docs/copy.md). */
import t from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { marks } from './kernel-machines.js';
import { fails, isKilled, succeeds } from './scenarios.js';

const layout: DiskLayout = { firmware: 'bios', root: 'ext4', separateBoot: false };

void t.test('a newer kernel and a renewed GRUB boot, and the copy is kept for a rollback', (t) =>
  succeeds(t, layout, async (machine) => {
    const { stdout } = await machine.exec('cd /var/lib/offline-update/fallbacks && ls *');
    t.match(stdout, /\bcommitted\n/);
    t.notMatch(stdout, /\b(armed|restored)\n/);
  }),
);

void t.test('a postinst fails after grub.cfg named the newer kernel: the copy is put back', (t) =>
  fails(t, layout),
);

void t.test(
  'invariant 4: killed when grub.cfg names the newer kernel: that one puts the copy back, and the old one comes up',
  (t) => isKilled(t, layout, marks.grub, ['reboot', 'up']),
);
