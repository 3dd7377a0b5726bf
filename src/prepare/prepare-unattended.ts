/**
 * `prepare --unattended`, for offline-update-prepare.timer: what people or a boot have in hand is no failure, there is just
 * nothing for it to do. Nor is there where the very same is prepared already: that one may have been rehearsed, or somebody
 * may have taken it back, and a new id would be a new update to the timer that triggers. Another run is waited for a while.
 *
 * Errors: `NOTHING_TO_DO` also instead of `ARMED`, `SCHEDULED`, `WRONG_STATE` and `BUSY`, and on a metered network; those of
 * prepare-update.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import { UpdateError, type UpdateErrorCode } from '../update/errors.js';
import { contentHash } from '../update/plan-content.js';
import type { PayloadPlan } from '../update/plan.js';
import type { Policy } from '../update/policy.js';
import { verifyStage } from '../update/stage.js';
import { UNATTENDED_PATIENCE_SECONDS } from './exclusive.js';
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
    const { source, policy } = options;
    const plan: typeof source.plan = async (stage) => {
      const payload = await source.plan(stage);
      await refuseSame(online, payload, policy);
      return payload;
    };
    return await prepareUpdate(online, {
      ...options,
      source: { ...source, plan },
      waitSeconds: UNATTENDED_PATIENCE_SECONDS,
    });
  } catch (error) {
    if (!(error instanceof UpdateError) || !inHand.has(error.code)) throw error;
    throw new UpdateError('NOTHING_TO_DO', error.message, {
      cause: error,
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
}

/** One whose stage is damaged, or that was made under another policy, is made anew. */
async function refuseSame({ store, fs, paths }: Online, payload: PayloadPlan, policy: Policy): Promise<void> {
  const update = await store.current().catch(() => undefined);
  const state = update?.journal.state;
  if (!update || state?.name !== 'prepared') return;
  const plan = await verifyStage(fs, paths.stage, state.planHash).catch(() => undefined);
  if (!plan || contentHash(plan.payload) !== contentHash(payload)) return;
  if (plan.payload.baseFingerprint !== payload.baseFingerprint || !isDeepStrictEqual(plan.policy, policy))
    return;
  throw new UpdateError(
    'NOTHING_TO_DO',
    `update ${update.id} is prepared already, and there is nothing newer`,
    {
      hint: 'offline-update status',
    },
  );
}
