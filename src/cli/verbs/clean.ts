/** `clean`: drop the prepared update, unblock. */
import { asUpdateError } from '../../update/errors.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import type { CliPorts } from '../ports.js';
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
        async run({ step, ports, out }) {
          const { cleanUpdate } = await import('../../prepare/clean.js');
          const cleaned = await cleanUpdate(ports.online, await ports.scheduler());
          await pruneSnapshots(ports, out);
          const { id, removed, unblocked } = cleaned;
          if (removed.length > 0) out.line(`Disarmed: ${removed.join(', ')} removed.`);
          const { rebootLines } = await import('../pages/scheduled-lines.js');
          for (const line of rebootLines(cleaned)) out.line(line);
          if (unblocked) out.line(`Update ${id ?? ''} no longer blocks.`);
          out.line(`No update is prepared. Next: ${step('offline-update prepare')}`);
          out.json(cleaned);
          return exitCodes.done;
        },
      }),
    );
};

/** What is cleaned is cleaned, however this ends. Without a policy that says how many are wanted, no old root goes. */
async function pruneSnapshots(ports: CliPorts, out: Output): Promise<void> {
  const { keepFallbacks, minimumFreePercent } = await ports.policy().catch((error: unknown) => {
    const { message, hint } = asUpdateError(error);
    out.note(`All old snapshots are kept: ${message}`);
    if (hint !== undefined) out.note(`  next: ${hint}`);
    return { keepFallbacks: Infinity, minimumFreePercent: 0 };
  });
  const snapshots = await ports.snapshots();
  await snapshots.prune(keepFallbacks, minimumFreePercent).catch((error: unknown) => {
    out.note(`Old snapshots could not be removed: ${asUpdateError(error).message}`);
  });
}
