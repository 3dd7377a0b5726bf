/** Locks that forbid a shutdown: since systemd 257 they stop root as well, and the reboot into the update with it. */
import type { Check } from '../context.js';

export const inhibitors: Check = {
  id: 'inhibitors',
  async run({ facts }) {
    return (await facts.shutdownInhibitors()).map(({ who, why }) => ({
      check: 'inhibitors',
      severity: 'warn',
      evidence: `${who} forbids a shutdown now: ${why}`,
      remedy: 'wait until it is done, or end it; systemd-inhibit --list shows who it is',
    }));
  },
};
