/** `rollback [ID]`: back to a kept fallback, or forward again. */
import { UpdateError } from '../../update/errors.js';
import type { UpdateStore } from '../../update/store.js';
import { exitCodes } from '../exit-codes.js';
import type { CliPorts } from '../ports.js';
import { rebootNow } from '../reboot-now.js';
import type { Verb } from '../verb.js';

interface Options {
  yes?: boolean;
  now?: boolean;
}

export const rollback: Verb = (program, invoke) => {
  program
    .command('rollback')
    .summary('go back to a kept fallback')
    .description(
      'Makes a kept fallback the root that boots next: the newest one, or the one of ID. The present root is kept as a\n' +
        'fallback itself, so that the same command goes forward again. Asks before it does. The verdict of an update stays\n' +
        'what it is; history and report tell that it was rolled back.',
    )
    .argument('[id]', 'an id from offline-update history')
    .option('--yes', 'do not ask')
    .option('--now', 'reboot into it at once')
    .option('--json', 'print JSON')
    .action(
      invoke<Options>({
        failed: 'nothing was rolled back',
        needsRoot: true,
        async run({ words: [id], options, ports, out }) {
          const { chooseFallback, refuseBusy, rollBackTo } = await import('../../prepare/rollback.js');
          const { rollbackPage } = await import('../pages/fallback-page.js');
          const { online } = ports;
          const snapshots = await ports.snapshots();
          await refuseBusy(online);
          const { kept, truth } = await chooseFallback(online, snapshots, id);
          const changes = await changesOf(online.store, [...truth.goesBack, ...truth.comesBack]);
          const page = rollbackPage(truth, { changes, covers: kept.covers, now: online.moment.now() });
          for (const line of page) out.line(line);
          // By its id: without one it would be the newest, whatever was asked for.
          const unasked = `offline-update rollback ${truth.id} --yes${options.now === true ? ' --now' : ''}`;
          if (options.yes !== true && !(await agrees(ports, unasked))) {
            out.line('Nothing was changed.');
            out.json({ rollback: null });
            return exitCodes.nothingToDo;
          }
          const done = await rollBackTo(online, snapshots, truth.id);
          out.line(`\nThe root from before ${truth.id} boots next.`);
          if (done.keepsPresent)
            out.line(`This one is kept: offline-update rollback ${done.rollback} comes back to it.`);
          const asked = options.now === true ? await rebootNow(ports, out) : null;
          if (asked instanceof UpdateError) {
            out.error('the other root boots next, but the machine does not reboot', asked);
            return exitCodes.failed;
          }
          out.line(options.now === true ? 'Rebooting now.' : 'Next: systemctl reboot');
          out.json({ ...done, rebootAskedBy: asked });
          return exitCodes.done;
        },
      }),
    );
};

/** `unasked`: the same without a question. Errors: `USAGE` where nobody can be asked. */
async function agrees(ports: CliPorts, unasked: string): Promise<boolean> {
  const answer = await ports.ask('\nGo there with the next boot? [y/N] ');
  if (answer !== undefined) return /^y(es)?$/i.test(answer.trim());
  throw new UpdateError('USAGE', 'there is no terminal to ask on', { hint: unasked });
}

async function changesOf(store: UpdateStore, ids: readonly string[]): Promise<Map<string, string>> {
  const { summary } = await import('../../prepare/plan-summary.js');
  const { countsText } = await import('../pages/change-lines.js');
  const told = new Map<string, string>();
  for (const id of ids) {
    const plan = await store.readPlan(await store.find(id)).catch(() => undefined);
    if (plan) told.set(id, countsText(summary(plan).counts));
  }
  return told;
}
