/**
 * `offline-update prepare`: plans, downloads and seals an update while the machine runs.
 *
 * The new stage is built beside the present one and takes its place in one step at the very end, so a failure, a
 * signal or a power cut at any instant leaves the former plan as it was, and what was downloaded is kept for the next
 * run (invariants 3 and 7).
 *
 * Errors: `BUSY`, `ARMED`, `BLOCKED`, `NOTHING_TO_DO`, `PLAN_FAILED` (also when the plan removes this package), `HASH_MISMATCH`, `DOWNLOAD_FAILED`, and those of the payload's
 * `plan` and `fetch`.
 */
import { join } from 'node:path';
import { UpdateError } from '../update/errors.js';
import { stageLayout } from '../update/paths.js';
import { PLAN_FORMAT, planText, type PayloadPlan, type Plan, type StagedFile } from '../update/plan.js';
import type { Policy } from '../update/policy.js';
import { sealStage } from '../update/stage.js';
import type { KnownUpdate } from '../update/store.js';
import type { KnownHashes, Payload, Progress, Stage } from '../payloads/payload.js';
import { replaceableUpdate } from './current-update.js';
import { endOf, type EndFacts } from './end-of.js';
import { failedBefore, type FailedBefore } from './failed-before.js';
import { exclusively } from './exclusive.js';
import { forgetUnarmed } from './forget-unarmed.js';
import {
  closeNextStage,
  dropUnplanned,
  isEmptyNextStage,
  openNextStage,
  reuseStagedFiles,
} from './next-stage.js';
import type { Online } from './online.js';
import { markStaleIfDrifted } from './stale.js';
import { refuseOwnRemoval } from './refuse-own-removal.js';
import { swapStages } from './swap-stages.js';

/** Where the plan comes from: the payload's own planning, or a package manager's plugin. */
export interface PlanSource {
  request: Plan['request'];
  plan(stage: Stage): Promise<PayloadPlan>;
}

export interface PrepareOptions {
  source: PlanSource;
  payload: Payload<PayloadPlan>;
  policy: Policy;
  facts: EndFacts;
  on: Progress;
  /** For another run to end; 0 without it. */
  waitSeconds?: number;
}

export interface Prepared {
  id: string;
  plan: Plan;
  /** The same changes failed here before: `trigger` will not arm them by itself. */
  failedBefore: FailedBefore | undefined;
}

export function prepareUpdate(online: Online, options: PrepareOptions): Promise<Prepared> {
  return exclusively(
    online,
    async () => {
      const former = await replaceableUpdate(online);
      const stage: Stage = { path: online.paths.nextStage };
      await openNextStage(online);
      const payload = await planOrTellStale(online, options, stage, former);
      refuseOwnRemoval(payload);
      await reuseStagedFiles(online, payload);
      const known = await options.payload.fetch(payload, stage, options.on);
      const plan = await sealNextStage(online, options, payload, known);
      await online.store.record(plan);
      await swapStages(online);
      await forgetUnarmed(online.store, plan.id);
      return { id: plan.id, plan, failedBefore: await failedBefore(online, plan) };
    },
    options.waitSeconds,
  );
}

async function planOrTellStale(
  online: Online,
  { source, payload }: PrepareOptions,
  stage: Stage,
  former: KnownUpdate | undefined,
): Promise<PayloadPlan> {
  try {
    return await source.plan(stage);
  } catch (error) {
    const isNothingToDo = error instanceof UpdateError && error.code === 'NOTHING_TO_DO';
    if (isNothingToDo || (await isEmptyNextStage(online))) await online.files.removeTree(stage.path);
    if (!isNothingToDo || !former) throw error;
    const drift = await markStaleIfDrifted(online, payload, former);
    if (!drift) throw error;
    throw new UpdateError(
      error.code,
      `${error.message}; the update ${former.id} prepared earlier no longer fits: ${drift.message}`,
      { cause: error, hint: 'offline-update clean' },
    );
  }
}

async function sealNextStage(
  online: Online,
  { source, policy, payload: kind, facts }: PrepareOptions,
  payload: PayloadPlan,
  known: KnownHashes,
): Promise<Plan> {
  const { fs, paths, moment, store } = online;
  await dropUnplanned(online, payload);
  // side by side: one closes and reads every file, the other looks at names and sizes
  const [sealed, agreed, end] = await Promise.allSettled([
    closeNextStage(online).then(() => sealStage(fs, paths.nextStage, known)),
    kind.agree(payload, { path: paths.nextStage }),
    endOf(online, { payload, policy }, policy.action, facts),
  ]);
  if (sealed.status === 'rejected') throw sealed.reason;
  const files = sealed.value;
  await checkHashes(online, payload, files);
  if (agreed.status === 'rejected') throw agreed.reason;
  const now = moment.now();
  const plan: Plan = {
    format: PLAN_FORMAT,
    id: await store.newId(now),
    createdAt: now.toISOString(),
    request: source.request,
    payload,
    files,
    policy,
    // Where there is no systemd to ask, as in an image that is being built, the trigger will tell.
    ...(end.status === 'fulfilled' && { end: { action: end.value.action, because: end.value.because } }),
  };
  await fs.createFile(join(paths.nextStage, stageLayout.plan), planText(plan), 0o600);
  await fs.syncFileSystem(paths.nextStage);
  return plan;
}

/**
 * What was downloaded against what the signed index says; of a recompressed file the payload has done that before. What the
 * payload has hashed is not read once more here: what changes after that is refused by the trigger and by the update
 * boot, which read all of it. A bad file is dropped, so that a new run downloads it.
 */
async function checkHashes(
  { fs, paths }: Online,
  payload: PayloadPlan,
  files: readonly StagedFile[],
): Promise<void> {
  const sealed = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  for (const { name, file, sha256, recompressed } of payload.changes) {
    if (file === null) continue;
    const found = sealed.get(file);
    if (found === undefined) {
      throw new UpdateError('DOWNLOAD_FAILED', `the file of ${name} was not downloaded: ${file} is missing`, {
        hint: 'offline-update prepare',
      });
    }
    const expected = recompressed?.sha256 ?? sha256;
    if (expected !== null && found !== expected) {
      await fs.unlink(join(paths.nextStage, file));
      const says = recompressed ? 'it was recompressed to' : 'the package index says';
      throw new UpdateError(
        'HASH_MISMATCH',
        `${file} has SHA-256 ${found}, ${says} ${expected}; it was removed`,
        { hint: 'offline-update prepare' },
      );
    }
  }
}
