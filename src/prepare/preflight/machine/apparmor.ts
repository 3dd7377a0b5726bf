/** A profile of AppArmor that confines Node.js confines the update service as well. */
import type { Check } from '../context.js';
import { systemFile } from './system-file.js';

const confinesNode = /^(\/usr\/bin\/node(?:js)?|node(?:js)?) \((enforce|kill)\)$/m;

export const apparmor: Check = {
  id: 'apparmor',
  async run(context) {
    const profiles = (await systemFile(context, '/sys/kernel/security/apparmor/profiles')) ?? '';
    const [, profile, mode] = confinesNode.exec(profiles) ?? [];
    if (profile === undefined) return [];
    return [
      {
        check: 'apparmor',
        severity: 'block',
        evidence: `the AppArmor profile ${profile} (${mode ?? 'enforce'}) confines the update service`,
        remedy: `aa-complain ${profile}, or let the profile allow what a package manager does`,
      },
    ];
  },
};
