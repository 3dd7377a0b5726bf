/** `stale`: for offline-update-stale.service, after another run of a package manager. By hand it does no harm. */
import { exitCodes } from '../exit-codes.js';
import type { Verb } from '../verb.js';

/** The longest download that another run may be at; whoever comes later looks again. */
const waitSeconds = 3600;

export const stale: Verb = (program, invoke) => {
  program
    .command('stale', { hidden: true })
    .summary('for offline-update-stale.service')
    .description('Marks the prepared update stale, and disarms it, where packages were changed since.')
    .option('--json', 'print JSON')
    .action(
      invoke({
        failed: 'it cannot be told whether the prepared update still fits',
        needsRoot: true,
        async run({ ports, out }) {
          const { packagesChanged } = await import('../../prepare/packages-changed.js');
          const changed = await packagesChanged(
            ports.online,
            await ports.scheduler(),
            (plan) => ports.hasDrifted(plan),
            waitSeconds,
          );
          out.line(
            changed ? `Update ${changed.id} is stale: ${changed.reason.message}.` : 'Nothing became stale.',
          );
          if (changed) out.line('Next: offline-update status');
          out.json({ stale: changed ?? null });
          return exitCodes.done;
        },
      }),
    );
};
