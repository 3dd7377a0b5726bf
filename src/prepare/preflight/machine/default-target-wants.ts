/**
 * Units that are wanted by `default.target` itself are started in an update boot, too, which is what default.target is
 * then: containers and desktops beside a package manager at work.
 */
import type { Check } from '../context.js';
import { pulledInBy } from './pulled-in.js';

export const defaultTargetWants: Check = {
  id: 'default-target-wants',
  async run(context) {
    const names = await pulledInBy('default.target', context);
    if (names.length === 0) return [];
    return [
      {
        check: 'default-target-wants',
        severity: 'warn',
        evidence: `${names.join(', ')}: wanted by default.target, so started in the update boot as well`,
        remedy: 'let them be WantedBy=multi-user.target, then: systemctl reenable UNIT',
      },
    ];
  },
};
