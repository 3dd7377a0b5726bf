import t from 'tap';
import { rebootKindOf } from '../../src/update/reboot-kind.js';
import { upgradeOf } from '../fixtures/packages-plan.js';

const kind = (...names: string[]) => rebootKindOf(names.map(upgradeOf), 257);

void t.test('what is read before systemd, or by a kernel that starts, needs a full reboot', (t) => {
  for (const [name, what] of [
    ['linux-image-6.12.9-amd64', 'the kernel'],
    ['zfs-dkms', 'the kernel'],
    ['intel-microcode', 'firmware or microcode'],
    ['firmware-iwlwifi', 'firmware or microcode'],
    ['grub-efi-amd64', 'the boot loader'],
    ['shim-signed', 'the boot loader'],
    ['initramfs-tools-core', 'the initramfs'],
    ['cryptsetup-initramfs', 'the initramfs'],
    ['systemd', 'systemd itself'],
    ['libsystemd-shared', 'systemd itself'],
    ['udev', 'systemd itself'],
  ] as const) {
    t.strictSame(kind('openssl', name), { action: 'reboot', because: `${what} changes: ${name}` });
  }
  t.end();
});

void t.test('all else is done with a soft-reboot, where systemd knows one', (t) => {
  const names = ['openssl', 'libc6', 'dbus', 'linux-libc-dev', 'nodejs', 'systemd-cron'];
  t.strictSame(kind(...names), {
    action: 'soft-reboot',
    because: 'nothing changes that a kernel, boot loader or initramfs reads',
  });
  t.strictSame(rebootKindOf([upgradeOf('openssl')], 253), {
    action: 'reboot',
    because: 'systemd 253 knows no soft-reboot',
  });
  t.match(kind('linux-image-a', 'linux-image-b', 'linux-image-c', 'linux-image-d').because, / and 1 more$/);
  t.end();
});
