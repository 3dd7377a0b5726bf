/** A clock that was reset makes new signatures look as if they came from the future, and all times in the report wrong. */
import type { Check } from '../context.js';

export const clock: Check = {
  id: 'clock',
  async run({ facts, staged }) {
    const now = facts.now();
    const latest = await facts.lastKnownTime();
    const known = Math.max(latest?.getTime() ?? 0, staged ? Date.parse(staged.plan.createdAt) : 0);
    if (now.getTime() >= known) return [];
    return [
      {
        check: 'clock',
        severity: 'warn',
        evidence: `the clock says ${now.toISOString()}, but it was ${new Date(known).toISOString()} before`,
        remedy: 'timedatectl set-ntp true, or set it: timedatectl set-time ...',
      },
    ];
  },
};
