/** A newer kernel without firmware and boot loader in between (docs/reboot.md): a machine that reboots ends its QEMU. */
import t from 'tap';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { givesWayTo, startsByKexec } from './kexec-scenarios.js';

const layout: DiskLayout = { firmware: 'bios', root: 'btrfs', separateBoot: false };

void t.test('the kernel that the update has brought is started by kexec, in the updated root', (t) =>
  startsByKexec(t, layout),
);

void t.test('invariant 4: an update that fails goes back by the boot loader, into the old root', (t) =>
  givesWayTo(t, layout),
);
