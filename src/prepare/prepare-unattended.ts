/**
 * `prepare --unattended`, for offline-update-prepare.timer: what people or a boot have in hand is no failure, there is just
 * nothing for it to do.
 *
 * Errors: `NOTHING_TO_DO` instead of `ARMED`, `SCHEDULED`, `WRONG_STATE` and `BUSY`, and on a metered network; those of
 * prepare-update.ts.
 */
import { UpdateError, type UpdateErrorCode } from '../update/errors.js';
import type { HostFacts } from './host-facts.js';
import type { Online } from './online.js';
import { prepareUpdate, type Prepared, type PrepareOptions } from './prepare-update.js';

const inHand: ReadonlySet<UpdateErrorCode> = new Set(['ARMED', 'SCHEDULED', 'WRONG_STATE', 'BUSY']);

export async function prepareUnattended(
  online: Online,
  facts: Pick<HostFacts, 'isMetered'>,
  options: PrepareOptions,
): Promise<Prepared> {
  if (await facts.isMetered())
    throw new UpdateError('NOTHING_TO_DO', 'the network is metered: nothing is downloaded unattended', {
      hint: 'offline-update prepare',
    });
  try {
    return await prepareUpdate(online, options);
  } catch (error) {
    if (!(error instanceof UpdateError) || !inHand.has(error.code)) throw error;
    throw new UpdateError('NOTHING_TO_DO', error.message, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}
