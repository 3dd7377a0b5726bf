/** Somebody installs packages right now: the plan may no longer fit when they are done. */
import type { Check } from './context.js';

export const lockHeld: Check = {
  id: 'lock-held',
  async run({ facts }) {
    const holder = await facts.packageLockHolder();
    if (!holder) return [];
    return [
      {
        check: 'lock-held',
        severity: 'warn',
        evidence: `${holder.command} (process ${holder.pid}) holds ${holder.lock}: it may change the system`,
        remedy: 'wait until it has ended: offline-update status tells whether the plan still fits',
      },
    ];
  },
};
