/** The staged plan, and the proof of its seal as it is now: hashed once, however many ask. */
import { UpdateError } from '../update/errors.js';
import { parsePlan, type Plan } from '../update/plan.js';
import { readStaged, verifyStage } from '../update/stage.js';
import type { StagedUpdate } from './preflight/context.js';
import type { Online } from './online.js';

/** Errors: `PLAN_MISSING`, `PLAN_TAMPERED` when the stage holds another plan than `expectedHash`, `PLAN_INVALID`. */
export async function stagedUpdate(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  expectedHash: string,
): Promise<StagedUpdate> {
  const staged = await readStaged(fs, paths.stage);
  if (!staged) {
    throw new UpdateError('PLAN_MISSING', `${paths.stage} holds no plan`, { hint: 'offline-update prepare' });
  }
  if (staged.hash !== expectedHash) {
    throw new UpdateError('PLAN_TAMPERED', 'the plan in the stage is not the one that was prepared', {
      hint: 'offline-update prepare',
    });
  }
  let proof: Promise<Plan> | undefined;
  return {
    plan: parsePlan(staged.text),
    verify: () => (proof ??= verifyStage(fs, paths.stage, expectedHash)),
  };
}
