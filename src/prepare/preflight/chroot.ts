/** Where nothing of ours can boot, a trigger is left for somebody else's boot to find. */
import type { Check } from './context.js';

export const chroot: Check = {
  id: 'chroot',
  async run({ facts }) {
    if (await facts.isChroot()) {
      return [
        {
          check: 'chroot',
          severity: 'block',
          evidence: "this is a chroot: the boot that would install the update is not this system's",
          remedy: 'boot the system and trigger there',
        },
      ];
    }
    if (await facts.runsUnderSystemd()) return [];
    return [
      {
        check: 'chroot',
        severity: 'block',
        evidence: 'systemd does not run here: nothing would boot into the update',
        remedy: 'boot the system with systemd and trigger there',
      },
    ];
  },
};
