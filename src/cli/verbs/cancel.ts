/** `cancel`: disarm, keep the download. */
import { exitCodes } from '../exit-codes.js';
import type { Verb } from '../verb.js';

export const cancel: Verb = (program, invoke) => {
  program
    .command('cancel')
    .summary('disarm, keep the download')
    .description(
      'Takes the trigger away: the next boot is an ordinary one. The plan and its download stay.\n' +
        'A time that was set for it is forgotten, and a reboot that was announced for it is cancelled. A rollback to a copy\n' +
        'is taken back as well, as long as nothing of it is done.',
    )
    .option('--json', 'print JSON')
    .action(
      invoke({
        failed: 'nothing was cancelled',
        needsRoot: true,
        async run({ step, ports, out }) {
          const { cancelUpdate } = await import('../../prepare/cancel.js');
          const cancelled = await cancelUpdate(ports.online, await ports.scheduler());
          const { rebootLines } = await import('../pages/scheduled-lines.js');
          const { id, removed, rollback, unscheduled } = cancelled;
          out.line(
            rollback
              ? 'The rollback is taken back: the next boot is an ordinary one.'
              : id === null
                ? `Removed ${removed.length > 0 ? removed.join(', ') : 'a time that was set'}; there was no update to it.`
                : `Update ${id} is no longer ${unscheduled ? 'scheduled' : 'armed'}: the next boot is an ordinary one. The download is kept.`,
          );
          for (const line of rebootLines(cancelled)) out.line(line);
          const next = rollback || id === null ? 'offline-update status' : 'offline-update trigger';
          out.line(`Next: ${step(next)}`);
          out.json(cancelled);
          return exitCodes.done;
        },
      }),
    );
};
