/** Without system-update.target there is no update boot. */
import type { Check } from './context.js';
import { lookUp, unitFolders } from './unit-lookup.js';

const target = 'system-update.target';

export const targetMasked: Check = {
  id: 'target-masked',
  async run({ fs, paths }) {
    const found = await lookUp(fs, paths.root, unitFolders, target);
    if (found.kind === 'there') return [];
    return [
      {
        check: 'target-masked',
        severity: 'block',
        evidence:
          found.kind === 'masked'
            ? `${target} is masked by ${found.path}`
            : `there is no ${target} on this system`,
        remedy: found.kind === 'masked' ? `systemctl unmask ${target}` : 'apt install --reinstall systemd',
      },
    ];
  },
};
