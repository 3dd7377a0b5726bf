/**
 * The ordinary boot after the install: is the machine well with the update? Then it is confirmed; if not, it goes back,
 * once. A boot that ends before the verdict is no failed boot: the next one judges.
 *
 * Errors: `HEALTH_FAILED` with the verdict `failed`, or on the way back; `BUSY`, `WRONG_STATE` without a verdict. All
 * of them keep boot-complete.target, which requires this unit, from being reached.
 */
import { shutdownAskedAt } from '../host/boot-times.js';
import { exists } from '../host/exists.js';
import { measuredAway } from '../update/away.js';
import { copyAhead } from '../update/copy-ahead.js';
import { UpdateError } from '../update/errors.js';
import { eventRows } from '../update/journal-rows.js';
import type { Plan } from '../update/plan.js';
import type { KnownUpdate } from '../update/store.js';
import { installBootLoader } from './boot-loader.js';
import { closeUpdate, dropConfirmed, saveReport } from './close.js';
import { forgetOldest } from './forget-oldest.js';
import { judge, type Judgement } from './health/judge.js';
import type { Ports } from './ports.js';
import { giveBack, refuseSecondReturn } from './unhealthy.js';

export async function confirm(ports: Ports): Promise<void> {
  const update = await ports.store.current();
  if (update?.journal.state.name !== 'installed') return;
  const backAt = ports.moment.now();
  const plan = await ports.store.readPlan(update);
  if (await exists(ports.fs, ports.paths.updateBoot)) throw noVerdict(update, 'this is the update boot');
  await refuseSecondReturn(ports, update, plan, (await copyAhead(ports)) !== undefined);
  const judgement = await judge(ports, update, plan);
  if (!judgement) throw noVerdict(update, 'this boot is in rescue mode or is being left');
  if (judgement.failures.length > 0) await giveBack(ports, update, plan, judgement);
  else await conclude(ports, update, plan, judgement, backAt);
}

async function conclude(
  ports: Ports,
  update: KnownUpdate,
  plan: Plan,
  { warnings }: Judgement,
  backAt: Date,
): Promise<void> {
  for (const { check, message } of warnings) ports.log.write('warning', `${check}: ${message}`);
  await installBootLoader(ports, update);
  await update.journal.append({ event: 'confirmed' });
  await noteAway(ports, update, backAt);
  await saveReport(ports, update, plan);
  await dropConfirmed(ports);
  await closeUpdate(ports);
  const { keepFallbacks, minimumFreePercent } = plan.policy;
  await ports.snapshots.prune(keepFallbacks, minimumFreePercent).catch((error: unknown) => {
    ports.log.write('warning', `old snapshots could not be removed: ${String(error)}`);
  });
  await forgetOldest(ports).catch((error: unknown) => {
    ports.log.write('warning', `the oldest updates could not be removed from the history: ${String(error)}`);
  });
  ports.log.write('notice', `update ${update.id} is confirmed: ${plan.payload.changes.length} changes`);
}

function noVerdict({ id }: KnownUpdate, why: string): UpdateError {
  return new UpdateError(
    'WRONG_STATE',
    `${why}: no verdict on update ${id}, the next ordinary boot judges it`,
    {
      hint: 'systemctl default',
    },
  );
}

/** The truth beside the estimate of `trigger`. */
async function noteAway({ run }: Ports, { journal }: KnownUpdate, backAt: Date): Promise<void> {
  const armed = eventRows(journal.rows, 'armed').at(-1);
  const [claimed] = eventRows(journal.rows, 'claimed');
  const asked = armed && claimed && (await shutdownAskedAt(run, armed.bootId, new Date(claimed.at)));
  const away = measuredAway(journal.rows, asked, backAt);
  if (away) await journal.append({ note: 'away', ...away });
}
