/**
 * What an update writes to must be mounted, and writable, in the update boot, where only what local-fs.target requires
 * is sure to be there: no network, no automount, nothing that systemd was told it may do without.
 */
import type { Finding } from '../../../update/finding.js';
import type { Check } from '../context.js';
import { systemTable } from './system-file.js';

const needed = [
  '/usr',
  '/etc',
  '/var',
  '/var/lib',
  '/var/lib/dpkg',
  '/opt',
  '/srv',
  '/boot',
  '/boot/efi',
  '/efi',
];
const lateOptions = ['noauto', 'nofail', '_netdev', 'x-systemd.automount'];
/** Loader partitions are an automount on many machines; they are opened when something is written there. */
const onDemand = ['/boot', '/boot/efi', '/efi'];

export const neededMounts: Check = {
  id: 'needed-mounts',
  async run(context) {
    const [mounts, fstab] = await Promise.all([context.facts.mounts(), systemTable(context, '/etc/fstab')]);
    return needed.flatMap((target) => {
      const mount = mounts.findLast((each) => each.target === target);
      if (!mount || mount.type === 'autofs') return [];
      const options = fstab.find((fields) => fields[1] === target)?.[3]?.split(',') ?? [];
      const late = options.find((option) => lateOptions.includes(option));
      return [
        ...(mount.writable ? [] : [readOnly(target)]),
        ...(late !== undefined && !onDemand.includes(target) ? [notSure(target, late)] : []),
      ];
    });
  },
};

function readOnly(target: string): Finding {
  return {
    check: 'needed-mounts',
    severity: 'block',
    evidence: `${target} is mounted read-only: packages cannot be installed there`,
    remedy: `mount -o remount,rw ${target}`,
  };
}

function notSure(target: string, option: string): Finding {
  return {
    check: 'needed-mounts',
    severity: 'block',
    evidence: `${target} is mounted with "${option}" in /etc/fstab: it may be missing in the update boot`,
    remedy: `take "${option}" out of the line of ${target} in /etc/fstab; systemctl daemon-reload`,
  };
}
