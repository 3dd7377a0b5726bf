/**
 * Boot counting (systemd's automatic boot assessment): an update boot uses up one try of the entry and is never blessed
 * itself. `LoaderBootCountPath` is set while the entry that booted still counts: `/EFI/Linux/x+2-1.efi` has two left.
 */
import type { Check } from '../context.js';
import { systemFile } from './system-file.js';

const variable = '/sys/firmware/efi/efivars/LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f';
/** For the update boot itself, the boot after it, and one that a power cut takes. */
const TRIES_NEEDED = 3;

export const bootAssessment: Check = {
  id: 'boot-assessment',
  async run(context) {
    const value = await systemFile(context, variable);
    if (value === undefined) return [];
    // UTF-16, after four bytes of attributes: what is ASCII in it is enough.
    const path = value.replace(/[^\x20-\x7e]/g, '');
    const left = Number(/\+(\d+)(?:-\d+)?\.[A-Za-z]+$/.exec(path)?.[1] ?? Infinity);
    return [
      {
        check: 'boot-assessment',
        severity: left < TRIES_NEEDED ? 'block' : 'warn',
        evidence: `this boot is not yet found good by boot-complete.target: its entry has ${left} tries left, and the update takes one or more`,
        remedy: 'systemctl start boot-complete.target; systemd-bless-boot good',
      },
    ];
  },
};
