/** What the methods carry out: the functions behind the verbs of the command, with their words, errors and documents. */
import type { Progress } from '../payloads/payload.js';
import { startAhead, stopAhead } from '../prepare/ahead.js';
import { cancelUpdate } from '../prepare/cancel.js';
import { replaceableUpdate } from '../prepare/current-update.js';
import { exclusively } from '../prepare/exclusive.js';
import { liveProgress, preparing, rehearsing } from '../prepare/live-progress.js';
import {
  armedOutcome,
  preparedOutcome,
  type ArmedOutcome,
  type PreparedOutcome,
} from '../prepare/outcome.js';
import { planSource } from '../prepare/plan-source.js';
import { errorTypedAgain } from '../prepare/prepare-again.js';
import { prepareUpdate, type Prepared } from '../prepare/prepare-update.js';
import { rehearsePrepared } from '../prepare/rehearse/rehearse-prepared.js';
import { setAction } from '../prepare/set-action.js';
import { readStatus, type Status } from '../prepare/status.js';
import { triggerUpdate } from '../prepare/trigger.js';
import { chooseTerm } from '../prepare/when/term.js';
import type { Action } from '../update/events.js';
import { typedPrepare, type prepareOptions, type triggerOptions } from './options.js';
import type { ServicePorts } from './ports.js';
import { stoppable, type Stoppable } from './stoppable.js';
import { turns } from './turns.js';

export interface Operations {
  status(): Promise<Status>;
  /** What stands in the way of a `prepare`, as far as it is known without planning. */
  mayPrepare(): Promise<void>;
  prepare(options: ReturnType<typeof prepareOptions>): Promise<PreparedOutcome>;
  /** Is somebody else at work, and may the machine go now? Errors: `BUSY`; `USAGE` outside of the policy's windows. */
  mayTrigger(): Promise<void>;
  trigger(options: ReturnType<typeof triggerOptions>): Promise<ArmedOutcome>;
  /** True when there was a preparation that can be given up; it ends soon, with `CANCELLED` or prepared. */
  giveUp(): Promise<boolean>;
  cancel(): Promise<void>;
  setAction(action: Action): Promise<void>;
}

export function operations(ports: ServicePorts, version: string): Operations {
  const { online } = ports;

  let preparation: Stoppable | undefined;
  // everybody may ask for the status, and each answer runs programs
  const { alone, shared } = turns();

  const status = shared(() =>
    readStatus(online, {
      version,
      verify: false,
      hasDrifted: (plan) => ports.hasDrifted(plan),
      // others than root do not see them in the command either, and they cost
      fallbacks: () => Promise.resolve(null),
      support: () => Promise.resolve(undefined),
      shutdown: async () => (await ports.scheduler()).shutdown(),
    }),
  );

  const prepared = async (options: ReturnType<typeof prepareOptions>): Promise<Prepared> => {
    // In turn with the answers to others, whose programs are children of ours as well; nor may it end those of the job
    // that has begun until then.
    const own = stoppable(() =>
      alone(async () => {
        if (preparation === own) await ports.endChildren();
      }),
    );
    const { run, guard, refuseMore } = (preparation = own);
    try {
      const done = await told(ports, preparing, async (on) => {
        const [policy, found, { facts }] = await Promise.all([
          ports.policy(),
          ports.payload(),
          ports.machine(),
        ]);
        const payload = guard(found);
        const source = planSource(options, payload, policy);
        const telling: typeof source = {
          ...source,
          plan(stage) {
            on({ percent: 0, text: 'planning' });
            return source.plan(stage);
          },
        };
        return run(() => prepareUpdate(online, { source: telling, payload, policy, facts, on }));
      });
      if (options.rehearse) refuseMore(`the rehearsal was cancelled; the update ${done.id} is prepared`);
      return done;
    } catch (error) {
      throw errorTypedAgain(error, typedPrepare(options));
    } finally {
      preparation = undefined;
    }
  };

  return {
    status,
    async mayPrepare() {
      await exclusively(online, () => replaceableUpdate(online));
    },
    async prepare(options) {
      const done = await prepared(options);
      const rehearsal = options.rehearse
        ? await told(ports, rehearsing, async (on) =>
            rehearsePrepared(online, await ports.rehearsal(), done.id, on),
          )
        : undefined;
      return preparedOutcome(done, rehearsal);
    },
    mayTrigger: () =>
      exclusively(online, async () => {
        const now = online.moment.now();
        chooseTerm({ at: now, whenIdle: false, awaySeconds: null }, now, (await ports.policy()).windows);
      }),
    trigger: ({ action, rehearse, force }) =>
      told(ports, rehearsing, async (on) => {
        const [machine, rehearsal] = await Promise.all([ports.machine(), ports.rehearsal()]);
        const wishes = {
          machine,
          rehearsal: { machine: rehearsal, isWanted: rehearse, on },
          force,
          startAhead: () => startAhead(ports.run),
        };
        return armedOutcome(await triggerUpdate(online, { ...wishes, ...(action && { action }) }));
      }),
    async giveUp() {
      if (!preparation) return false;
      await preparation.giveUp();
      return true;
    },
    async cancel() {
      await cancelUpdate(online, await ports.scheduler());
      await stopAhead(online, ports.run);
    },
    async setAction(action) {
      await setAction(online, (await ports.machine()).facts, action);
    },
  };
}

/** The progress of `work` for whoever looks (status.json), which is where the properties come from as well. */
async function told<T>(
  { online }: ServicePorts,
  what: typeof preparing | typeof rehearsing,
  work: (on: Progress) => Promise<T>,
): Promise<T> {
  const live = liveProgress(online, () => new Date(), what);
  try {
    return await work(live.on);
  } finally {
    await live.end();
  }
}
