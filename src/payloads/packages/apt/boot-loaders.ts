/**
 * Packages whose scripts write boot loader or firmware where no snapshot of the root reaches: the EFI system
 * partition, the first sectors of a disk, a flash memory. There a sync that is left out is not made up for by a way back.
 */
const families =
  /^(?:grub|shim|systemd-boot|refind|sicherboot|extlinux|syslinux|isolinux|lilo|u-boot|flash-kernel|raspi-firmware|zipl|s390-tools|yaboot|fwupd|efibootmgr|mokutil)(?:$|[-.\d])/;

export function isBootLoader(packageName: string): boolean {
  return families.test(packageName);
}
