/** A masked unit is loaded and never started: the update boot would hang or do nothing. */
import type { Finding } from '../../update/finding.js';
import type { Check } from './context.js';
import { lookUp, unitFolders } from './unit-lookup.js';

/** The ones that the way into the update and out of it needs. */
const units = ['offline-update.service', 'offline-update-guard.service', 'offline-update-rescue.service'];

export const unitMasked: Check = {
  id: 'unit-masked',
  async run({ fs, paths }) {
    const found = await Promise.all(units.map((unit) => lookUp(fs, paths.root, unitFolders, unit)));
    return found.flatMap((lookup, index): Finding[] => {
      const unit = units[index] ?? '';
      if (lookup.kind !== 'masked') return [];
      return [
        {
          check: 'unit-masked',
          severity: 'block',
          evidence: `${unit} is masked by ${lookup.path}`,
          remedy: `systemctl unmask ${unit}`,
        },
      ];
    });
  },
};
