/** `history`: all updates of this machine and how they ended. */
import { UpdateError } from '../../update/errors.js';
import type { Reason } from '../../update/events.js';
import type { StateName } from '../../update/state.js';
import type { UpdateStore } from '../../update/store.js';
import { exitCodes } from '../exit-codes.js';
import { countsText } from '../pages/change-lines.js';
import { timeText } from '../quantities.js';
import type { Verb } from '../verb.js';

interface Past {
  id: string;
  state: StateName | 'unreadable';
  preparedAt: string | null;
  changes: string | null;
  reason: Reason | null;
}

export const history: Verb = (program, invoke) => {
  program
    .command('history')
    .summary('all updates and how they ended')
    .description('Lists the updates of this machine, the newest first.')
    .option('--json', 'print JSON')
    .action(
      invoke({
        failed: 'the history cannot be told',
        async run({ ports, out }) {
          const { store } = ports.online;
          const updates = await Promise.all((await store.ids()).map((id) => past(store, id)));
          if (updates.length === 0) out.line('There has been no update on this machine.');
          for (const { id, state, preparedAt, changes, reason } of updates) {
            const when = preparedAt === null ? ''.padEnd(23) : timeText(preparedAt);
            out.line(`${id}  ${state.padEnd(10)}  ${when}  ${changes ?? ''}`.trimEnd());
            if (reason) out.line(`  ${reason.message}`);
          }
          out.json({ updates });
          return exitCodes.done;
        },
      }),
    );
};

/** One that cannot be read is told as such; the others are told all the same. */
async function past(store: UpdateStore, id: string): Promise<Past> {
  try {
    const update = await store.find(id);
    const { summary } = await import('../../prepare/status.js');
    const plan = await store.readPlan(update);
    const { state } = update.journal;
    return {
      id,
      state: state.name,
      preparedAt: plan.createdAt,
      changes: countsText(summary(plan).counts),
      reason: 'reason' in state ? state.reason : null,
    };
  } catch (error) {
    if (!(error instanceof UpdateError)) throw error;
    const { code, message } = error;
    return { id, state: 'unreadable', preparedAt: null, changes: null, reason: { code, message } };
  }
}
