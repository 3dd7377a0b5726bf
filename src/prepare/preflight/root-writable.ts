/** There must be a place for the trigger that systemd looks at. */
import { chooseTriggerPath } from '../trigger-path.js';
import type { Check } from './context.js';

export const rootWritable: Check = {
  id: 'root-writable',
  async run({ paths, facts }) {
    if ((await chooseTriggerPath(paths, facts)) !== undefined) return [];
    return [
      {
        check: 'root-writable',
        severity: 'block',
        evidence: `${paths.root} cannot be written, and /etc/system-update is no way out here (systemd 254 or newer, /etc writable)`,
        remedy: 'mount -o remount,rw /',
      },
    ];
  },
};
