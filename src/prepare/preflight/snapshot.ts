/** The policy wants a way back: without one there is no update. */
import type { Check } from './context.js';

export const snapshot: Check = {
  id: 'snapshot',
  async run({ policy, staged, snapshots }) {
    if ((staged?.plan.policy ?? policy).snapshot !== 'require') return [];
    const { usable, reason } = await snapshots.probe();
    if (usable) return [];
    return [
      {
        check: 'snapshot',
        severity: 'block',
        evidence: `the policy says snapshot = "require", and there is no way back here: ${reason}`,
        remedy: 'set snapshot = "prefer" in /etc/offline-update/config.toml and prepare again',
      },
    ];
  },
};
