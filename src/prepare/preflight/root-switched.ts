/** After a rollback, or before an update that was given up is put back: the trigger would lie in a root that does not boot, or take the rollback back. */
import { rollbackAhead } from '../rollback-ahead.js';
import type { Check } from './context.js';

export const rootSwitched: Check = {
  id: 'root-switched',
  async run(context) {
    if (!(await rollbackAhead(context))) return [];
    return [
      {
        check: 'root-switched',
        severity: 'block',
        evidence: 'the next boot goes back: what is prepared here is not for that system',
        remedy: 'systemctl reboot',
      },
    ];
  },
};
