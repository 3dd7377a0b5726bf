/**
 * `offline-update status`: every truth at once, ours and that of the links, and where they disagree. Changes nothing,
 * takes no lock. dpkg is asked only where something was changed since the plan was made, or that cannot be seen.
 */
import { isErrno } from '../host/host-error.js';
import { asUpdateError, UpdateError } from '../update/errors.js';
import type { Reason, WayIn, WayOut } from '../update/events.js';
import { isHeld, rolledBackBy } from '../update/held.js';
import { readLiveStatus, type LiveStatus } from '../update/live-status.js';
import type { PayloadPlan, Plan } from '../update/plan.js';
import { readStaged, verifyStage } from '../update/stage.js';
import { isVerdict, type StateName, type UpdateState, type Verdict } from '../update/state.js';
import type { KnownUpdate, UpdateStore } from '../update/store.js';
import { readTriggers, type TriggerTruth } from '../update/trigger-link.js';
import { failedBefore, type FailedBefore } from './failed-before.js';
import type { FallbackTruth } from './fallbacks.js';
import { estimateIn, type Away } from '../update/away.js';
import type { Rehearsal } from '../update/rehearsal.js';
import type { Online } from './online.js';
import { summary, type PlanSummary } from './plan-summary.js';
import { readRehearsal } from './rehearse/rehearsal-file.js';
import { contradictions, nextStep } from './status-words.js';
import { isAtWork } from './under-way.js';
import { maskedAhead } from './masked-ahead.js';
import { prepareAgain } from './prepare-again.js';
import { wayBackOf, type WayBack } from './way-back.js';
import { rollbackAhead } from './rollback-ahead.js';
import { whenTruth, type WhenTruth } from './when/when-truth.js';
import type { ScheduledShutdown } from '../host/scheduled-shutdown.js';

export const STATUS_FORMAT = 1;

/** In the update boot itself: a reboot, which any other step leads to, would cut the install short. */
const FOLLOW = 'offline-update status --follow';

export interface StageTruth {
  /** Null when there is no stage to judge, or for others than root, who may not look into it. */
  intact: boolean | null;
  /** What was looked at: the plan alone, or every file's hash. */
  checked: 'plan' | 'whole';
  problem: Reason | null;
}

export interface Status extends WhenTruth {
  format: typeof STATUS_FORMAT;
  version: string;
  state: StateName;
  id: string | null;
  reason: Reason | null;
  plan: PlanSummary | null;
  /** The same changes failed here before. */
  failedBefore: FailedBefore | null;
  /** How the update boot will end, once armed. */
  action: WayOut | null;
  actionBecause: string | null;
  /** Which reboot is to lead into the update boot; null when none is armed. */
  wayIn: WayIn | null;
  /** Sources that only the policy allowed. */
  unsignedSources: string[];
  links: TriggerTruth[];
  /** In words: where our state and the links do not fit together. */
  contradictions: string[];
  /** Null where nothing has been decided of it yet. */
  wayBack: WayBack | null;
  /** Whether the system changed since the plan was made; null when there is no plan to compare with. */
  drift: boolean | null;
  stage: StageTruth;
  /** The next boot goes back: to another root by a rollback, or by putting back a copy. */
  otherRootNext: boolean;
  /** Not measured: see `history` for their sizes. Null for others than root. */
  fallbacks: FallbackTruth[] | null;
  /** What the service says of itself, of this boot. */
  live: LiveStatus | null;
  /** The newest end of an update. */
  lastVerdict: {
    id: string;
    verdict: Verdict;
    reason: Reason | null;
    at: string;
    /** The rollback that took it out of the root that boots. */
    rolledBackBy: string | null;
  } | null;
  /** Of the plan, when it was rehearsed. */
  rehearsal: Rehearsal | null;
  /** How long the machine will be away, as the trigger foretold. */
  estimate: Away | null;
  /** The next command to type. */
  next: string | null;
}

export interface StatusOptions {
  version: string;
  /** Hash every file of the stage. */
  verify: boolean;
  /** Were packages changed since the plan was made? */
  hasDrifted(plan: PayloadPlan): Promise<boolean>;
  fallbacks(): Promise<FallbackTruth[] | null>;
  /** What there is of a way back on this machine; undefined for others than root. */
  support: Parameters<typeof wayBackOf>[2];
  /** What logind will do; asked only when something of ours waits for it. */
  shutdown(): Promise<ScheduledShutdown | undefined>;
}

export async function readStatus(online: Online, options: StatusOptions): Promise<Status> {
  const { fs, paths, store } = online;
  const [current, links, live, rollback, fallbacks] = await Promise.all([
    currentOrProblem(online),
    readTriggers(fs, paths.triggers),
    readLiveStatus(fs, paths),
    rollbackAhead(online).catch(() => undefined),
    options.fallbacks(),
  ]);
  const { update, problem } = current;
  const state: UpdateState = update?.journal.state ?? { name: 'none' };
  const plan = update && (await store.readPlan(update).catch(() => undefined));
  const [stage, drift, lastVerdict, failure, rehearsal, wayBack, when, atWork, masked] = await Promise.all([
    stageTruth(online, state, options.verify, problem),
    driftOf(state, plan, options),
    newestVerdict(online, update),
    plan && state.name === 'prepared' ? failedBefore(online, plan) : undefined,
    update && readRehearsal(fs, update).catch(() => undefined),
    update && plan && wayBackOf(update, plan, options.support),
    whenTruth(online, update, () => options.shutdown()),
    isAtWork(online, state),
    maskedAhead(online, links),
  ]);
  const told = {
    state: state.name,
    id: update?.id ?? null,
    reason: 'reason' in state ? state.reason : problem,
    action: 'action' in state ? state.action : null,
    wayIn: state.name === 'armed' ? state.wayIn : null,
    links,
    drift,
    stage,
    failedBefore: failure ?? null,
    otherRootNext: rollback !== undefined,
    rehearsal: rehearsal ?? null,
    ...when,
  };
  return {
    format: STATUS_FORMAT,
    version: options.version,
    ...told,
    plan: plan ? summary(plan) : null,
    actionBecause: 'because' in state ? state.because : null,
    unsignedSources: plan?.payload.unsignedSources ?? [],
    contradictions: contradictions(told, state, { rollback, masked }),
    wayBack: wayBack ?? null,
    fallbacks,
    live: live ?? null,
    lastVerdict,
    estimate: state.name === 'armed' && update ? estimateIn(update.journal.rows) : null,
    next: atWork ? FOLLOW : nextStep(told, prepareAgain(plan?.request), masked),
  };
}

/** A journal or plan that cannot be read is told, with everything else that still can be. */
export async function currentOrProblem({
  store,
}: Pick<Online, 'store'>): Promise<{ update: KnownUpdate | undefined; problem: Reason | null }> {
  try {
    return { update: (await store.current()) ?? (await justConfirmed(store)), problem: null };
  } catch (error) {
    // Only root may look into the stage, but everybody can see that there is one: the newest update is the one in it.
    if (isErrno(error, 'EACCES')) return { update: await newest(store), problem: null };
    if (!(error instanceof UpdateError)) throw error;
    return { update: undefined, problem: { code: error.code, message: error.message } };
  }
}

/** Its stage was dropped with the confirmation: it is told until the next one is prepared. */
async function justConfirmed(store: UpdateStore): Promise<KnownUpdate | undefined> {
  const update = await newest(store);
  return update?.journal.state.name === 'confirmed' && isHeld(update.journal) ? update : undefined;
}

async function newest(store: UpdateStore): Promise<KnownUpdate | undefined> {
  const [id] = await store.ids();
  return id === undefined ? undefined : store.find(id);
}

async function stageTruth(
  { fs, paths }: Online,
  state: UpdateState,
  verify: boolean,
  problem: Reason | null,
): Promise<StageTruth> {
  const checked = verify ? 'whole' : 'plan';
  if (problem) return { intact: false, checked, problem };
  if (!('planHash' in state)) return { intact: null, checked, problem: null };
  try {
    if (verify) await verifyStage(fs, paths.stage, state.planHash);
    else {
      const staged = await readStaged(fs, paths.stage);
      if (!staged) throw new UpdateError('PLAN_MISSING', `${paths.stage} holds no plan`);
      if (staged.hash !== state.planHash)
        throw new UpdateError('PLAN_TAMPERED', 'the plan in the stage is not the one that was prepared');
    }
    return { intact: true, checked, problem: null };
  } catch (error) {
    if (isErrno(error, 'EACCES')) return { intact: null, checked, problem: null };
    const { code, message } = asUpdateError(error);
    return { intact: false, checked, problem: { code, message } };
  }
}

async function driftOf(
  state: UpdateState,
  plan: Plan | undefined,
  options: StatusOptions,
): Promise<boolean | null> {
  if (state.name === 'stale') return true;
  if (!plan || (state.name !== 'prepared' && state.name !== 'armed')) return null;
  return options.hasDrifted(plan.payload);
}

async function newestVerdict(
  { store }: Online,
  current: KnownUpdate | undefined,
): Promise<Status['lastVerdict']> {
  for (const id of await store.ids()) {
    const update = id === current?.id ? current : await store.find(id).catch(() => undefined);
    const state = update?.journal.state;
    if (!state || !isVerdict(state.name)) continue;
    const reason = 'reason' in state ? state.reason : null;
    const { rows } = update.journal;
    const back = rolledBackBy(rows)?.rollback ?? null;
    return { id, verdict: state.name, reason, at: rows.at(-1)?.at ?? '', rolledBackBy: back };
  }
  return null;
}
