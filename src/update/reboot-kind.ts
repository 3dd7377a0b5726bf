/**
 * Which kind of reboot the changes of an update need. A soft-reboot (systemd 254) starts all of userspace anew under
 * the running kernel: no firmware, no boot loader, no passphrase for the disks. It is not enough for what is read
 * before systemd, or by a kernel that starts.
 */
import type { PackageChange } from './plan.js';
import { FEW, someOf } from './some-of.js';

export interface RebootKind {
  action: 'reboot' | 'soft-reboot';
  because: string;
}

const FIRST_VERSION = 254;

/** Why there is no soft-reboot, whatever changes. */
export function withoutSoftReboot(systemdVersion: number): string | undefined {
  return systemdVersion < FIRST_VERSION ? `systemd ${systemdVersion} knows no soft-reboot` : undefined;
}

type Kind = readonly [what: string, names: RegExp];
/** By package name, on Debian and its relatives. */
const notByKexec: readonly Kind[] = [
  ['firmware or microcode', /^(firmware-|.*-microcode$|.*-firmware$|iucode-tool$|fwupd)/],
  ['the boot loader', /^(grub|shim|systemd-boot|efibootmgr$|extlinux$|u-boot|mokutil$)/],
];
const needsReboot: readonly Kind[] = [
  ['the kernel', /^(linux-(image|modules|headers|base)|kmod$|dkms$|.*-dkms$)/],
  ...notByKexec,
  ['the initramfs', /^(initramfs-tools|dracut|busybox|klibc-utils$|cryptsetup|lvm2$|mdadm$|zfs-|plymouth)/],
  ['systemd itself', /^(systemd$|systemd-sysv$|libsystemd|udev$|libudev1$)/],
];

export function rebootKindOf(changes: readonly PackageChange[], systemdVersion: number): RebootKind {
  const names = changes.map(({ name }) => name);
  const because = withoutSoftReboot(systemdVersion) ?? changed(names, needsReboot);
  if (because !== undefined) return { action: 'reboot', because };
  return { action: 'soft-reboot', because: 'nothing changes that a kernel, boot loader or initramfs reads' };
}

/** What a kernel that is started by another one would not get; undefined when there is nothing of that kind. */
export function belowTheKernel(names: readonly string[]): string | undefined {
  return changed(names, notByKexec);
}

/** A package with a kernel in it; what only depends on one (linux-image-amd64) comes together with it. */
export function bringsKernel(changes: readonly PackageChange[]): boolean {
  return changes.some(({ name, action }) => name.startsWith('linux-image-') && action !== 'remove');
}

function changed(names: readonly string[], kinds: readonly Kind[]): string | undefined {
  for (const [what, pattern] of kinds) {
    const found = names.filter((name) => pattern.test(name));
    if (found.length > 0) return `${what} changes: ${someOf(found, FEW)}`;
  }
  return undefined;
}
