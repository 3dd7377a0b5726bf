/**
 * A preparation that can be given up: its children are asked to end, and between two steps, and between two files, it
 * looks whether it is still wanted. What was downloaded stays, and the plan from before, as after any other failure.
 */
import type { Payload } from '../payloads/payload.js';
import { UpdateError } from '../update/errors.js';
import type { PayloadPlan } from '../update/plan.js';

export interface Stoppable {
  /** Rejects with `CANCELLED` for whatever goes wrong once it was given up. */
  run: <T>(work: () => Promise<T>) => Promise<T>;
  /** The payload whose every step asks first. */
  guard: (payload: Payload<PayloadPlan>) => Payload<PayloadPlan>;
  giveUp(): Promise<void>;
  /** Throws `CANCELLED` when it was given up too late to be ended: what was to come after it does not begin. */
  refuseMore: (told: string) => void;
}

export function stoppable(endChildren: () => Promise<void>): Stoppable {
  const givenUp = new AbortController();
  const refuse = (cause?: unknown): void => {
    if (!givenUp.signal.aborted) return;
    throw new UpdateError('CANCELLED', 'the preparation was cancelled; what was downloaded is kept', {
      cause,
      hint: 'offline-update prepare',
    });
  };
  return {
    async run(work) {
      try {
        return await work();
      } catch (error) {
        refuse(error);
        throw error;
      }
    },
    guard: (payload) => ({
      ...payload,
      async plan(request) {
        refuse();
        return payload.plan({ ...request, signal: givenUp.signal });
      },
      async fetch(plan, stage, on) {
        refuse();
        return payload.fetch(plan, stage, on, givenUp.signal);
      },
      async agree(plan, stage) {
        refuse();
        return payload.agree(plan, stage);
      },
    }),
    async giveUp() {
      givenUp.abort(); // before the children: none is started any more
      await endChildren();
    },
    refuseMore(told) {
      if (givenUp.signal.aborted) throw new UpdateError('CANCELLED', told, { hint: 'offline-update status' });
    },
  };
}
