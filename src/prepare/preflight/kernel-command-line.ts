/**
 * Words on the kernel command line that win over default.target: the update would stay armed and never run. The list
 * is the one of systemd's own generator (system-update-generator.c, runlevel_to_target) [systemd.md 1].
 */
import type { Check } from './context.js';

const runlevelWords = new Set([
  'emergency',
  '-b',
  'rescue',
  'single',
  '-s',
  's',
  'S',
  '1',
  '2',
  '3',
  '4',
  '5',
]);

export const kernelCommandLine: Check = {
  id: 'kernel-command-line',
  async run({ facts }) {
    const words = await facts.kernelCommandLine();
    const winning = words.filter((word) => word.startsWith('systemd.unit=') || runlevelWords.has(word));
    return winning.map((word) => ({
      check: 'kernel-command-line',
      severity: 'block',
      evidence: `"${word}" on the kernel command line overrides the update boot`,
      remedy: "take it out of the boot loader's configuration and reboot",
    }));
  },
};
