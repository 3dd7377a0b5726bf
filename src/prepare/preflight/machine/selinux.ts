/**
 * SELinux: without labels and rules of its own for the trigger and the generator, the policy of a distribution may keep
 * either from working in enforcing mode; a pending relabel boots into a target of its own and reboots from there.
 */
import type { Finding } from '../../../update/finding.js';
import type { Check } from '../context.js';
import { systemFile, systemFolder } from './system-file.js';

export const selinux: Check = {
  id: 'selinux',
  async run(context) {
    const findings: Finding[] = [];
    const enforcing = (await systemFile(context, '/sys/fs/selinux/enforce'))?.trim() === '1';
    if (enforcing) {
      findings.push({
        check: 'selinux',
        severity: 'warn',
        evidence: 'SELinux is enforcing: whether its policy lets the update boot work was not tried',
        remedy: 'set up a first update with setenforce 0 and look at: ausearch -m avc -ts boot',
      });
    }
    if ((await systemFolder(context, '/')).includes('.autorelabel')) {
      findings.push({
        check: 'selinux',
        severity: 'warn',
        evidence:
          '/.autorelabel is there: the next boot labels all files first and reboots, then the update starts',
        remedy: 'reboot once before the update, to know what takes its time',
      });
    }
    return findings;
  },
};
