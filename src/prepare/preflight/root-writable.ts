/**
 * There must be a place for the trigger that systemd looks at, and from which the update boot can take it away: there the
 * root is mounted as /etc/fstab says, also where somebody has made it writable until then.
 */
import { chooseTriggerPath } from '../trigger-path.js';
import type { Check } from './context.js';
import { mountOptions } from './machine/system-file.js';

export const rootWritable: Check = {
  id: 'root-writable',
  async run(context) {
    const { paths, facts } = context;
    const trigger = await chooseTriggerPath(paths, facts);
    if (trigger === undefined) {
      return [
        {
          check: 'root-writable',
          severity: 'block',
          evidence: `${paths.root} cannot be written, and /etc/system-update is no way out here (systemd 254 or newer, /etc writable)`,
          remedy: 'mount -o remount,rw /',
        },
      ];
    }
    const isInRoot = trigger === paths.triggers[0];
    if (!isInRoot || (await mountOptions(context, '/'))?.includes('ro') !== true) return [];
    return [
      {
        check: 'root-writable',
        severity: 'block',
        evidence: '/ is mounted with "ro" in /etc/fstab: the update boot could not take the trigger away',
        remedy: 'take "ro" out of the line of / in /etc/fstab; systemctl daemon-reload',
      },
    ];
  },
};
