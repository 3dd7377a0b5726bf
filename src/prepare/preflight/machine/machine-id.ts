/**
 * Without a machine id the next boot is a first boot to systemd: it applies presets and asks its questions, and the
 * journal of the update boot is kept under an id that nobody looks for.
 */
import type { Check } from '../context.js';
import { systemFile } from './system-file.js';

export const machineId: Check = {
  id: 'machine-id',
  async run(context) {
    const id = (await systemFile(context, '/etc/machine-id'))?.trim();
    if (id !== undefined && /^[0-9a-f]{32}$/.test(id)) return [];
    return [
      {
        check: 'machine-id',
        severity: 'warn',
        evidence: `/etc/machine-id ${id === undefined ? 'is missing' : `holds ${id === '' ? 'nothing' : `"${id}"`}`}: the next boot would be a first boot`,
        remedy: 'systemd-machine-id-setup',
      },
    ];
  },
};
