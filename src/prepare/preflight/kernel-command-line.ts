/** Words on the kernel command line that win over default.target: the update would stay armed and never run. */
import { bootTargetOverrides } from '../../update/boot-override.js';
import type { Check } from './context.js';

export const kernelCommandLine: Check = {
  id: 'kernel-command-line',
  async run({ facts }) {
    return bootTargetOverrides(await facts.kernelCommandLine()).map((word) => ({
      check: 'kernel-command-line',
      severity: 'block',
      evidence: `"${word}" on the kernel command line overrides the update boot`,
      remedy: "take it out of the boot loader's configuration and reboot",
    }));
  },
};
