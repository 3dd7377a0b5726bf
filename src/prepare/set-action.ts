/**
 * Another end for the update that is armed: it stays armed, without looking or rehearsing again. The word for the shell
 * is written first, as when it is armed; cut in between, the update ends in one of the two ways.
 *
 * Errors: `PLAN_MISSING` when nothing is prepared, `WRONG_STATE` when it is not armed; `BUSY` and `WRONG_STATE` when a
 * boot works on it.
 */
import { UpdateError } from '../update/errors.js';
import type { Action, WayOut } from '../update/events.js';
import { readAskedShutdown } from '../update/scheduled.js';
import { armedEvent, endOf, type EndFacts } from './end-of.js';
import { exclusively } from './exclusive.js';
import type { Online } from './online.js';
import { refuseUnderWay } from './under-way.js';

export function setAction(
  online: Online,
  facts: EndFacts,
  wish: Action,
): Promise<{ id: string; action: WayOut }> {
  return exclusively(online, async () => {
    const update = await online.store.current();
    if (!update) {
      throw new UpdateError('PLAN_MISSING', 'no update is prepared', { hint: 'offline-update prepare' });
    }
    await refuseUnderWay(online, update);
    const { id, journal } = update;
    const { state } = journal;
    if (state.name !== 'armed') {
      throw new UpdateError('WRONG_STATE', `update ${id} is ${state.name}, not armed`, {
        hint: `offline-update trigger --action ${wish}`,
      });
    }
    const { planHash, trigger } = state;
    const plan = await online.store.readPlan(update);
    const { action, because, ...decided } = await endOf(online, plan, wish, facts);
    // A reboot that is announced already comes as it was said.
    const announced = await readAskedShutdown(online.fs, online.paths).catch(() => undefined);
    const wayIn = announced?.type ?? decided.wayIn;
    if (action === state.action && because === state.because && wayIn === state.wayIn) return { id, action };
    await online.files.replace(online.paths.action, `${action}\n`, 0o644);
    await journal.append(armedEvent(planHash, trigger, { action, because, wayIn }));
    return { id, action };
  });
}
