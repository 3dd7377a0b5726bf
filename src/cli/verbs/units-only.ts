/**
 * `run`, `recover`, `confirm`: carried out by the update service's own program, which the units start. By hand they
 * would install packages under running services, or judge a boot that was none (PackageKit#687).
 */
import { UpdateError } from '../../update/errors.js';
import type { Verb } from '../verb.js';

const units: Record<string, { unit: string; when: string }> = {
  run: { unit: 'offline-update.service', when: 'in the update boot' },
  recover: { unit: 'offline-update-recover.service', when: 'in the boot after an update' },
  confirm: { unit: 'offline-update-confirm.service', when: 'in the boot after an update' },
};

export const unitsOnly: Verb = (program, invoke) => {
  for (const [name, { unit, when }] of Object.entries(units)) {
    program
      .command(name, { hidden: true })
      .summary(`for ${unit} only`)
      .option('--json', 'print JSON')
      .action(
        invoke({
          failed: `${name} is not for you`,
          run() {
            throw new UpdateError('UNITS_ONLY', `systemd starts it ${when}, as ${unit}`, {
              hint: name === 'run' ? 'offline-update trigger' : `systemctl start ${unit}`,
            });
          },
        }),
      );
  }
};
