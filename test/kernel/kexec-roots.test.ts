/** The same where the root is found in other ways: by no name, with /boot apart, and with a copy as the way back. */
import t from 'tap';
import { startsByKexec } from './kexec-scenarios.js';

void t.test('on ext4 with a copy', (t) =>
  startsByKexec(t, { firmware: 'bios', root: 'ext4', separateBoot: false }),
);

void t.test('with the root as the default subvolume, and /boot and the EFI system partition apart', (t) =>
  startsByKexec(t, { firmware: 'uefi', root: 'btrfs-default', separateBoot: true }),
);
