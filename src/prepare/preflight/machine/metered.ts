/** Only what `prepare` still downloads is concerned: nothing is needed from the network after it. */
import type { Check } from '../context.js';

export const metered: Check = {
  id: 'metered',
  async run({ facts, staged }) {
    if (staged || !(await facts.isMetered())) return [];
    return [
      {
        check: 'metered',
        severity: 'warn',
        evidence: 'the connection to the network is metered: a download may cost money',
        remedy: 'prepare when the machine has another connection',
      },
    ];
  },
};
