/** `history`: all updates of this machine and how they ended. */
import { asUpdateError } from '../../update/errors.js';
import type { FallbackTruth } from '../../prepare/fallbacks.js';
import type { Reason } from '../../update/events.js';
import { firstLine } from '../../update/first-line.js';
import { rolledBackBy } from '../../update/held.js';
import { cancelledIn } from '../../update/report.js';
import type { StateName } from '../../update/state.js';
import type { UpdateStore } from '../../update/store.js';
import { exitCodes } from '../exit-codes.js';
import { countsText } from '../pages/change-lines.js';
import type { TellingPorts } from '../telling-ports.js';
import { timeText } from '../quantities.js';
import type { TellingVerb } from '../verb.js';

interface Past {
  id: string;
  state: StateName | 'unreadable';
  /** Why it was taken back before it ran. */
  cancelled: string | null;
  preparedAt: string | null;
  changes: string | null;
  /** The rollback that took it out of the root that boots. */
  rolledBackBy: string | null;
  reason: Reason | null;
}

export const history: TellingVerb = (program, invoke) => {
  program
    .command('history')
    .summary('all updates and how they ended')
    .description(
      'Lists the updates of this machine, the newest first, and for root the fallbacks that are kept: how old they are\n' +
        'and how much of the disk is theirs alone.',
    )
    .option('--json', 'print JSON')
    .action(
      invoke({
        failed: 'the history cannot be told',
        async run({ ports, out }) {
          const { store } = ports.online;
          const updates = await Promise.all((await store.ids()).map((id) => past(store, id)));
          if (updates.length === 0) out.line('There has been no update on this machine.');
          for (const { id, state, preparedAt, changes, reason, ...past } of updates) {
            const when = preparedAt === null ? ''.padEnd(23) : timeText(preparedAt);
            const told = past.cancelled === null ? state : 'cancelled';
            out.line(`${id}  ${told.padEnd(10)}  ${when}  ${changes ?? ''}`.trimEnd());
            if (reason) out.line(`  ${firstLine(reason.message)}`);
            if (past.cancelled !== null) out.line(`  ${past.cancelled}`);
            if (past.rolledBackBy !== null) out.line(`  rolled back by ${past.rolledBackBy}`);
          }
          const fallbacks = ports.isRoot
            ? await measured(ports).catch((error: unknown) => {
                out.note(`The kept fallbacks cannot be told: ${asUpdateError(error).message}`);
                return null;
              })
            : null;
          if (fallbacks && fallbacks.length > 0) {
            const { fallbackLine } = await import('../pages/fallback-page.js');
            out.line('\nKept fallbacks, for offline-update rollback ID:');
            for (const each of fallbacks) out.line(fallbackLine(each, ports.online.moment.now()));
          }
          out.json({ updates, fallbacks });
          return exitCodes.done;
        },
      }),
    );
};

async function measured(ports: TellingPorts): Promise<FallbackTruth[]> {
  const { keptFallbacks } = await import('../../prepare/fallbacks.js');
  const { store } = ports.online;
  const all = await keptFallbacks({ store, snapshots: await ports.snapshots() }, { measure: true });
  return all.map(({ truth }) => truth);
}

/** One that cannot be read is told as such; the others are told all the same. */
async function past(store: UpdateStore, id: string): Promise<Past> {
  try {
    const update = await store.find(id);
    const { summary } = await import('../../prepare/plan-summary.js');
    const plan = await store.readPlan(update);
    const { state } = update.journal;
    return {
      id,
      state: state.name,
      cancelled: cancelledIn(update.journal),
      preparedAt: plan.createdAt,
      changes: countsText(summary(plan).counts),
      rolledBackBy: rolledBackBy(update.journal.rows)?.rollback ?? null,
      reason: 'reason' in state ? state.reason : null,
    };
  } catch (error) {
    const { code, message } = asUpdateError(error);
    const reason = { code, message };
    return {
      id,
      state: 'unreadable',
      cancelled: null,
      preparedAt: null,
      changes: null,
      rolledBackBy: null,
      reason,
    };
  }
}
