/** `prepare --rehearse`: what was just sealed, rehearsed once, whatever the policy says of `trigger`. */
import type { Progress } from '../../payloads/payload.js';
import { UpdateError } from '../../update/errors.js';
import type { Rehearsal } from '../../update/rehearsal.js';
import { exclusively } from '../exclusive.js';
import type { Online } from '../online.js';
import { errorAsAsked, requestOf } from '../prepare-again.js';
import { stagedUpdate } from '../staged-update.js';
import type { RehearsalMachine } from './rehearse.js';
import { rehearseUpdate } from './rehearse-update.js';

/** Errors: `REHEARSAL_*`, `BUSY`, `STAGE_*`; `WRONG_STATE` when it was replaced or armed meanwhile. */
export function rehearsePrepared(
  online: Online,
  machine: RehearsalMachine,
  id: string,
  on: Progress,
): Promise<Rehearsal> {
  return exclusively(online, async () => {
    const update = await online.store.find(id);
    const { state } = update.journal;
    if (state.name !== 'prepared') {
      throw new UpdateError('WRONG_STATE', `update ${id} is ${state.name} by now`, {
        hint: 'offline-update status',
      });
    }
    const { planHash } = state;
    try {
      const plan = await (await stagedUpdate(online, planHash)).verify();
      return await rehearseUpdate(online, machine, update, { plan, planHash }, on);
    } catch (error) {
      throw errorAsAsked(error, await requestOf(online, update));
    }
  });
}
