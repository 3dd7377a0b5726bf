/**
 * Other tools with a service in system-update.target. A good one sees that the trigger is not its own and ends; one
 * that does not has rebooted machines in the middle of somebody else's update (fwupd#1078, dnf5#1340).
 */
import type { Check } from '../context.js';
import { pulledInBy } from './pulled-in.js';

const ours = /^offline-update/;

export const otherUpdaters: Check = {
  id: 'other-updaters',
  async run(context) {
    const names = (await pulledInBy('system-update.target', context)).filter((name) => !ours.test(name));
    if (names.length === 0) return [];
    return [
      {
        check: 'other-updaters',
        severity: 'info',
        evidence: `started in the update boot as well: ${names.join(', ')}; each should end at once, since the trigger is ours`,
        remedy: 'mask what you do not use: systemctl mask UNIT',
      },
    ];
  },
};
