/** `cancel`: disarm, keep the download. */
import type { Cancelled } from '../../prepare/cancel.js';
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
          const { stopAhead } = await import('../../prepare/ahead.js');
          const cancelled = await cancelUpdate(ports.online, await ports.scheduler());
          await stopAhead(ports.online, ports.run);
          const { rebootLines } = await import('../pages/scheduled-lines.js');
          const { id, rollback } = cancelled;
          for (const line of [...takenBack(cancelled), ...rebootLines(cancelled)]) out.line(line);
          const next = rollback || id === null ? 'offline-update status' : 'offline-update trigger';
          out.line(`Next: ${step(next)}`);
          out.json(cancelled);
          return exitCodes.done;
        },
      }),
    );
};

/** Of a rollback, and of an update that had a time or was armed; both can be. */
function takenBack({ id, removed, rollback, unscheduled }: Cancelled): string[] {
  const back = 'The rollback is taken back: the next boot is an ordinary one.';
  if (rollback && !unscheduled) return [back];
  const links = rollback ? [] : removed;
  const update =
    id === null
      ? `Removed ${links.length > 0 ? links.join(', ') : 'a time that was set'}; there was no update to it.`
      : `Update ${id} is no longer ${unscheduled ? 'scheduled' : 'armed'}: the next boot is an ordinary one. The download is kept.`;
  return rollback ? [back, update] : [update];
}
