/** `cancel`: disarm, keep the download. */
import { exitCodes } from '../exit-codes.js';
import type { Verb } from '../verb.js';

export const cancel: Verb = (program, invoke) => {
  program
    .command('cancel')
    .summary('disarm, keep the download')
    .description('Takes the trigger away: the next boot is an ordinary one. The plan and its download stay.')
    .option('--json', 'print JSON')
    .action(
      invoke({
        failed: 'nothing was cancelled',
        needsRoot: true,
        async run({ ports, out }) {
          const { cancelUpdate } = await import('../../prepare/cancel.js');
          const { id, removed } = await cancelUpdate(ports.online);
          out.line(
            id === null
              ? `Removed ${removed.join(', ')}; there was no update to it.`
              : `Update ${id} is no longer armed: the next boot is an ordinary one. The download is kept.`,
          );
          out.line(`Next: ${id === null ? 'offline-update status' : 'offline-update trigger'}`);
          out.json({ id, removed });
          return exitCodes.done;
        },
      }),
    );
};
