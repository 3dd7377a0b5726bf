/**
 * What an update writes to must be mounted, and writable, in the update boot, where only what local-fs.target requires
 * is sure to be there: no network, no automount, nothing that systemd was told it may do without. It is mounted as
 * /etc/fstab says then, whatever somebody has made of it since.
 */
import type { Finding } from '../../../update/finding.js';
import type { Check } from '../context.js';
import { mountOptions } from './system-file.js';

const needed = ['/usr', '/etc', '/var', '/var/lib', '/var/lib/dpkg', '/boot', '/boot/efi', '/efi'];
/** Data disks and shares of many machines; hardly a package of a distribution installs anything there. */
const seldomNeeded = ['/opt', '/srv'];
const lateOptions = ['noauto', 'nofail', '_netdev', 'x-systemd.automount'];
/** Loader partitions are an automount on many machines; they are opened when something is written there. */
const onDemand = ['/boot', '/boot/efi', '/efi'];
/** As systemd tells them (fstype_is_network); the initramfs mounts /usr, also of such. */
const ofNetwork =
  /^(?:fuse\.)?(?:afs|ceph|cifs|davfs|gfs2?|glusterfs|lustre|ncpf?s|nfs4?|ocfs2|pvfs2|smb3|smbfs|sshfs)$/;

export const neededMounts: Check = {
  id: 'needed-mounts',
  async run(context) {
    const mounts = await context.facts.mounts();
    const found = [...needed, ...seldomNeeded].map(async (target): Promise<Finding[]> => {
      const mount = mounts.findLast((each) => each.target === target);
      if (!mount || mount.type === 'autofs') return [];
      const options = (await mountOptions(context, target)) ?? [];
      const late = options.find((option) => lateOptions.includes(option));
      const severity = seldomNeeded.includes(target) ? 'warn' : 'block';
      const isSure = target === '/usr' || !ofNetwork.test(mount.type);
      return [
        ...(options.includes('ro') ? [staysReadOnly(target)] : mount.writable ? [] : [readOnly(target)]),
        ...(late !== undefined && !onDemand.includes(target) ? [notSure(target, late)] : []),
        ...(isSure || late !== undefined ? [] : [inNetwork(target, mount.type)]),
      ].map((finding) => ({ ...finding, severity }));
    });
    return (await Promise.all(found)).flat();
  },
};

type Found = Omit<Finding, 'severity'>;

function readOnly(target: string): Found {
  return {
    check: 'needed-mounts',
    evidence: `${target} is mounted read-only: packages cannot be installed there`,
    remedy: `mount -o remount,rw ${target}`,
  };
}

function staysReadOnly(target: string): Found {
  return {
    check: 'needed-mounts',
    evidence: `${target} is mounted with "ro" in /etc/fstab: packages cannot be installed there`,
    remedy: `take "ro" out of the line of ${target} in /etc/fstab; systemctl daemon-reload; mount -o remount,rw ${target}`,
  };
}

function inNetwork(target: string, type: string): Found {
  return {
    check: 'needed-mounts',
    evidence: `${target} is a file system of the network (${type}): it may be missing in the update boot`,
    remedy: `keep ${target} on a disk of this machine, or install its packages while the machine runs`,
  };
}

function notSure(target: string, option: string): Found {
  return {
    check: 'needed-mounts',
    evidence: `${target} is mounted with "${option}" in /etc/fstab: it may be missing in the update boot`,
    remedy: `take "${option}" out of the line of ${target} in /etc/fstab; systemctl daemon-reload`,
  };
}
