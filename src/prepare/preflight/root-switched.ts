/** After a rollback and before the reboot: the trigger would lie in a root that does not boot. */
import { readMark } from '../../update/fallback-mark.js';
import type { Check } from './context.js';

export const rootSwitched: Check = {
  id: 'root-switched',
  async run({ fs, paths }) {
    const mark = await readMark(fs, paths.fallbackMark);
    if (mark?.role !== 'kept') return [];
    return [
      {
        check: 'root-switched',
        severity: 'block',
        evidence: 'another root boots next, by a rollback: an update of this one would never be installed',
        remedy: 'systemctl reboot',
      },
    ];
  },
};
