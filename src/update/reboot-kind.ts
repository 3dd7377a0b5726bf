/**
 * Which kind of reboot the changes of an update need. A soft-reboot (systemd 254) starts all of userspace anew under
 * the running kernel: no firmware, no boot loader, no passphrase for the disks. It is not enough for what is read
 * before systemd, or by a kernel that starts.
 */
import type { PackageChange } from './plan.js';

export interface RebootKind {
  action: 'reboot' | 'soft-reboot';
  because: string;
}

const FIRST_VERSION = 254;

/** By package name, on Debian and its relatives. */
const needsReboot: readonly (readonly [what: string, names: RegExp])[] = [
  ['the kernel', /^(linux-(image|modules|headers|base)|kmod$|dkms$|.*-dkms$)/],
  ['firmware or microcode', /^(firmware-|.*-microcode$|.*-firmware$|iucode-tool$|fwupd)/],
  ['the boot loader', /^(grub|shim|systemd-boot|efibootmgr$|extlinux$|u-boot|mokutil$)/],
  ['the initramfs', /^(initramfs-tools|dracut|busybox|klibc-utils$|cryptsetup|lvm2$|mdadm$|zfs-|plymouth)/],
  ['systemd itself', /^(systemd$|systemd-sysv$|libsystemd|udev$|libudev1$)/],
];

export function rebootKindOf(changes: readonly PackageChange[], systemdVersion: number): RebootKind {
  if (systemdVersion < FIRST_VERSION) {
    return { action: 'reboot', because: `systemd ${systemdVersion} knows no soft-reboot` };
  }
  for (const [what, pattern] of needsReboot) {
    const names = changes.map(({ name }) => name).filter((name) => pattern.test(name));
    if (names.length === 0) continue;
    return { action: 'reboot', because: `${what} changes: ${someOf(names)}` };
  }
  return { action: 'soft-reboot', because: 'nothing changes that a kernel, boot loader or initramfs reads' };
}

const shown = 3;

/** The first names, and how many there are besides. */
export function someOf(names: readonly string[]): string {
  const more = names.length > shown ? ` and ${names.length - shown} more` : '';
  return `${names.slice(0, shown).join(', ')}${more}`;
}
