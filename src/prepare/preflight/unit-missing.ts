/**
 * The update boot starts what system-update.target wants: our unit must be there and be wanted. A link without a unit
 * behind it hangs the boot without a message (systemd#4763).
 */
import { join } from 'node:path';
import { exists } from '../../host/exists.js';
import type { Check, PreflightContext } from './context.js';
import { lookUp, unitFolders } from './unit-lookup.js';

const unit = 'offline-update.service';
const wants = 'system-update.target.wants';

export const unitMissing: Check = {
  id: 'unit-missing',
  async run(context) {
    const { fs, paths } = context;
    const remedy = 'apt install --reinstall offline-update';
    const found = await lookUp(fs, paths.root, unitFolders, unit);
    if (found.kind === 'absent') {
      return [{ check: 'unit-missing', severity: 'block', evidence: `there is no ${unit}`, remedy }];
    }
    if (await isWanted(context)) return [];
    const evidence = `${unit} is not in ${wants}: the update boot would not start it`;
    return [{ check: 'unit-missing', severity: 'block', evidence, remedy }];
  },
};

async function isWanted({ fs, paths }: PreflightContext): Promise<boolean> {
  for (const folder of unitFolders) {
    if (await exists(fs, join(paths.root, folder, wants, unit))) return true;
  }
  return false;
}
