/** No snapshots: the root is ext4, and the kernel, its initrd and grub.cfg are put back from a copy (docs/copy.md). */
import t from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { fails } from './scenarios.js';

const layout: DiskLayout = { firmware: 'bios', root: 'ext4', separateBoot: false };

void t.test('a postinst fails after grub.cfg named the newer kernel: the copy is put back', (t) =>
  fails(t, layout),
);
