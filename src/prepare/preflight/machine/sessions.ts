/** Whoever is logged in loses what is not saved. */
import type { Check } from '../context.js';

export const sessions: Check = {
  id: 'sessions',
  async run({ facts }) {
    const users = [...new Set(await facts.otherUsers())].sort();
    if (users.length === 0) return [];
    return [
      {
        check: 'sessions',
        severity: 'warn',
        evidence: `logged in besides you: ${users.join(', ')}`,
        remedy: 'tell them before the reboot: wall "an update will be installed"',
      },
    ];
  },
};
