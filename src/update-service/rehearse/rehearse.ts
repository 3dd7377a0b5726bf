/**
 * The phases of an attempt on a throw-away copy of the system: the very same hooks, apt call, environment and proof as
 * in the update boot, with neither journal, snapshot nor reboot. Tells what happened by lines on the standard output
 * (update/rehearsal.ts). The first failure is the end; it is told, not thrown.
 *
 * Errors: `UNITS_ONLY` where this is not such a copy; then nothing was touched.
 */
import { join } from 'node:path';
import { freeSpace } from '../../host/disk-space.js';
import { mountOf, readMounts } from '../../host/mounts.js';
import type { Question } from '../../payloads/payload.js';
import { asUpdateError, UpdateError } from '../../update/errors.js';
import type { PhaseName } from '../../update/events.js';
import { pathsOfUpdate } from '../../update/paths.js';
import { parsePlan, type Plan } from '../../update/plan.js';
import {
  nothingPerformed,
  type Performance,
  type RehearsalLine,
  type RehearsalOrder,
} from '../../update/rehearsal.js';
import { readStaged } from '../../update/stage.js';
import { hookEnvironment } from '../install-hooks.js';
import { runHooks } from '../hooks.js';
import type { Ports } from '../ports.js';
import { refuseUnproven } from '../verify.js';
import { placeStubs, stubbedCalls } from './stubs.js';
import { THROW_AWAY_FOLDER, writtenLayers } from './written-layers.js';

/** Less than this left, and a failure may be the copy's. */
const FULL_BELOW_BYTES = 1024 * 1024;

export async function rehearse(
  ports: Ports,
  order: RehearsalOrder,
  tell: (line: RehearsalLine) => void,
): Promise<void> {
  const root = mountOf('/', await readMounts());
  if (root?.type !== 'overlay' || root.source !== 'throw-away') {
    throw new UpdateError('UNITS_ONLY', 'this is no throw-away copy of a system', {
      hint: 'offline-update prepare --rehearse',
    });
  }
  const plan = await stagedPlan(ports, order.planHash);
  const ownFiles = await placeStubs(ports.fs);
  tell({ ready: true });

  const told = nothingPerformed(null);
  const asked = await ports.payload.questions();
  for (const [phase, run] of phasesOf(ports, plan, order, told, tell)) {
    const began = performance.now();
    const done = (outcome: 'done' | 'failed'): void => {
      told.phases.push({ phase, outcome, seconds: (performance.now() - began) / 1000 });
    };
    try {
      await run();
      done('done');
    } catch (error) {
      done('failed');
      const { code, message } = asUpdateError(error);
      told.reason = { code, message };
      break;
    }
  }
  told.conffiles = await ports.payload.leftovers(plan.payload).catch(() => []);
  told.questions = newQuestions(asked, await ports.payload.questions());
  told.notRun = await stubbedCalls(ports.fs);
  told.isFull = (await freeSpace('/')).bytes < FULL_BELOW_BYTES;
  told.written = await writtenLayers(ports.fs, ownFiles);
  tell({ performance: told });
}

type Phases = [phase: PhaseName, run: () => Promise<void>][];

function phasesOf(
  ports: Ports,
  plan: Plan,
  { revertible }: RehearsalOrder,
  told: Performance,
  tell: (line: RehearsalLine) => void,
): Phases {
  const { paths, payload } = ports;
  const hooks = async (folder: string): Promise<void> => {
    await runHooks(ports, {
      folder,
      timeoutSeconds: plan.policy.hookTimeoutSeconds,
      env: {
        ...hookEnvironment(plan.id, pathsOfUpdate(paths, plan.id).plan, 1),
        OFFLINE_UPDATE_REHEARSAL: '1',
      },
      note(ran) {
        told.hooks.push(ran);
        return Promise.resolve();
      },
    });
  };
  let percent = -1;
  const install = (): Promise<void> =>
    payload.install(
      plan.payload,
      { path: paths.stage },
      (event) => {
        if (event.percent <= percent) return;
        ({ percent } = event);
        tell({ progress: { percent, text: event.text } });
      },
      {
        policy: rehearsed(plan.policy),
        terminalLog: join(THROW_AWAY_FOLDER, 'term.log'),
        syncs: 'kept',
        revertible,
      },
    );
  return [
    ['before', () => hooks(paths.hooksBefore)],
    ['install', install],
    [
      'verify',
      async () => {
        refuseUnproven(await payload.verify(plan.payload));
      },
    ],
    ['after', () => hooks(paths.hooksAfter)],
  ];
}

/** A person waits for the answer: a script that shows no life is given up sooner than in the update boot. */
const PATIENCE_SECONDS = 300;

function rehearsed(policy: Plan['policy']): Plan['policy'] {
  return { ...policy, stallTimeoutSeconds: Math.min(policy.stallTimeoutSeconds, PATIENCE_SECONDS) };
}

/** The seal of the files was proven a moment ago, outside. */
async function stagedPlan({ fs, paths }: Ports, planHash: string): Promise<Plan> {
  const staged = await readStaged(fs, paths.stage);
  if (staged?.hash !== planHash) {
    throw new UpdateError('PLAN_TAMPERED', 'the plan in the stage is not the one to be rehearsed');
  }
  return parsePlan(staged.text);
}

/** Asked in this rehearsal, or given another answer. */
function newQuestions(before: readonly Question[], after: readonly Question[]): Question[] {
  const known = new Set(before.map(({ name, answer }) => `${name}\n${answer}`));
  return after.filter(({ name, answer }) => !known.has(`${name}\n${answer}`));
}
