/** `clean`: drop the prepared update, unblock. */
import { asUpdateError } from '../../update/errors.js';
import { exitCodes } from '../exit-codes.js';
import type { Verb } from '../verb.js';

export const clean: Verb = (program, invoke) => {
  program
    .command('clean')
    .summary('drop the prepared update, unblock')
    .description(
      'Disarms, and drops the prepared update and its download. A blocked update is forgotten, so that a new one\n' +
        'can be prepared, and what a failed update left is removed. The history stays.',
    )
    .option('--json', 'print JSON')
    .action(
      invoke({
        failed: 'nothing was cleaned',
        needsRoot: true,
        async run({ ports, out }) {
          const { cleanUpdate } = await import('../../prepare/clean.js');
          const { keepFallbacks, minimumFreePercent } = await ports.policy();
          const cleaned = await cleanUpdate(ports.online, await ports.scheduler());
          const snapshots = await ports.snapshots();
          await snapshots.prune(keepFallbacks, minimumFreePercent).catch((error: unknown) => {
            out.note(`Old snapshots could not be removed: ${asUpdateError(error).message}`);
          });
          const { id, removed, unblocked } = cleaned;
          if (removed.length > 0) out.line(`Disarmed: ${removed.join(', ')} removed.`);
          const { rebootLines } = await import('../pages/scheduled-lines.js');
          for (const line of rebootLines(cleaned)) out.line(line);
          if (unblocked) out.line(`Update ${id ?? ''} no longer blocks.`);
          out.line('No update is prepared. Next: offline-update prepare');
          out.json(cleaned);
          return exitCodes.done;
        },
      }),
    );
};
