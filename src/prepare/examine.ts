/**
 * All that is looked at before an update is armed, or gets a time at which it will be: the preflight, the seal, the
 * rehearsal, and how long the machine will be away.
 *
 * Errors: `PLAN_MISSING`, `ARMED`, `BLOCKED`, `BUSY`, `WRONG_STATE`; `FOREIGN_TRIGGER`, `DRIFT`, `STAGE_*`, `PLAN_*`,
 * `FAILED_BEFORE` and `PREFLIGHT_BLOCKED` of the preflight, the latter with all findings; `REHEARSAL_*`.
 */
import type { Away } from '../update/away.js';
import { UpdateError } from '../update/errors.js';
import type { Action } from '../update/events.js';
import type { Finding } from '../update/finding.js';
import { firstLine } from '../update/first-line.js';
import type { Plan } from '../update/plan.js';
import type { Rehearsal } from '../update/rehearsal.js';
import type { KnownUpdate } from '../update/store.js';
import { announced, endOf, type BothWays } from './end-of.js';
import type { Online } from './online.js';
import { DRIFT_CHECK, markStale } from './stale.js';
import { blocks, preflight } from './preflight/preflight.js';
import type { PreflightContext, StagedUpdate } from './preflight/context.js';
import { FAILED_BEFORE } from './preflight/failed-before.js';
import { lockHeld } from './preflight/lock-held.js';
import { isPassing } from './preflight/passing.js';
import { STAGE_INTACT } from './preflight/stage-intact.js';
import { TRIGGER_FOREIGN } from './preflight/trigger-foreign.js';
import { foretell } from './rehearse/foretell.js';
import { rehearseBeforeArming, type RehearsalOptions } from './rehearse/before-arming.js';
import { stagedUpdate } from './staged-update.js';
import { errorAsAsked, prepareAgain, requestOf } from './prepare-again.js';
import { refuseUnderWay } from './under-way.js';

export interface TriggerOptions {
  /** Instead of the plan's own policy. */
  action?: Action;
  /** Also arms what failed here before. */
  force?: boolean;
  /** Its reboot is announced and comes at a time. */
  isAnnounced?: boolean;
  /** All that the preflight needs but the update itself. */
  machine: Omit<PreflightContext, 'staged' | 'isForced'>;
  rehearsal: RehearsalOptions;
  /**
   * Asked just before the update is armed, or gets its time. Who was interrupted does not resolve: nothing may follow
   * upon the word that nothing was armed, and the process is about to end.
   */
  onArming?: () => Promise<void>;
  /** For the soft-reboot into the update boot. Never throws. */
  startAhead?: () => Promise<void>;
}

export interface Examined {
  update: PreparedUpdate;
  plan: Plan;
  /** What the preflight saw that does not block, and why there was no rehearsal where one was wanted. */
  findings: Finding[];
  rehearsal: Rehearsal | null;
  /** How the update boot will end. */
  end: BothWays;
  /** How long the machine will be away; null without a rehearsal. */
  estimate: Record<keyof Away, number> | null;
}

/** `isLater`: what may be otherwise by then is told and does not block. */
export async function examine(online: Online, options: TriggerOptions, isLater = false): Promise<Examined> {
  const update = await preparedUpdate(online, options.action, isLater);
  try {
    return await examinePrepared(online, update, options, isLater);
  } catch (error) {
    throw errorAsAsked(error, await requestOf(online, update));
  }
}

async function examinePrepared(
  online: Online,
  update: PreparedUpdate,
  { action, force = false, isAnnounced = false, machine, rehearsal: wish }: TriggerOptions,
  isLater: boolean,
): Promise<Examined> {
  const staged = await stagedUpdate(online, update.planHash);
  const look = async (staged: StagedUpdate): Promise<Finding[]> => {
    const all = await preflight({ ...machine, staged, isForced: force });
    const found = isLater ? all.map(notYet) : all;
    await refuseBlocked(update, staged, found);
    return found;
  };
  let findings = await look(staged);
  const plan = await staged.verify();
  const sealed = { plan, planHash: update.planHash };
  const rehearsed = await rehearseBeforeArming(online, machine.policy, wish, update, sealed);
  const { rehearsal, isNew, findings: unrehearsed } = rehearsed;
  // A rehearsal takes its time, in which somebody may have installed a package, armed another update or changed the stage:
  // to hash that once more is little beside what it took to install it.
  if (isNew) findings = await look(await stagedUpdate(online, update.planHash));
  const decided = await endOf(online, plan, action ?? plan.policy.action, machine.facts);
  const end = isLater || isAnnounced ? announced(decided) : decided;
  const estimate = rehearsal && (await foretell(online, wish.machine, plan, rehearsal, end));
  return { update, plan, findings: [...findings, ...unrehearsed], rehearsal, end, estimate };
}

function notYet(finding: Finding): Finding {
  if (finding.severity !== 'block' || !isPassing(finding)) return finding;
  return { ...finding, severity: 'warn', remedy: `${finding.remedy}; it is looked at again at the time` };
}

export type PreparedUpdate = KnownUpdate & { planHash: string };

async function preparedUpdate(
  online: Online,
  action: Action | undefined,
  isLater: boolean,
): Promise<PreparedUpdate> {
  const update = await online.store.current();
  if (!update) throw nothingPrepared();
  await refuseUnderWay(online, update);
  const { id, journal } = update;
  const { state } = journal;
  switch (state.name) {
    case 'prepared':
      return { ...update, planHash: state.planHash };
    case 'armed': {
      const isOther = action !== undefined && action !== state.action;
      const otherwise = isLater
        ? 'the next boot installs it, whenever that is; cancel it first to have it at a time'
        : isOther && `cancel it first to end in ${action}`;
      const said = `update ${id} is armed already, to end in ${state.action}`;
      throw new UpdateError('ARMED', otherwise ? `${said}; ${otherwise}` : said, {
        hint: otherwise ? 'offline-update cancel' : `systemctl ${state.wayIn}`,
      });
    }
    case 'stale':
      throw new UpdateError('DRIFT', `the prepared update no longer fits: ${state.reason.message}`, {
        hint: prepareAgain(await requestOf(online, update)),
      });
    case 'blocked':
      throw new UpdateError('BLOCKED', `update ${id} is blocked: ${firstLine(state.reason.message)}`, {
        hint: 'offline-update clean',
      });
    case 'claimed':
    case 'installing':
    case 'installed':
      throw new UpdateError('WRONG_STATE', `update ${id} is ${state.name} and has no verdict yet`, {
        hint: 'offline-update status',
      });
    case 'none':
    case 'refused':
    case 'failed':
    case 'reverted':
    case 'confirmed':
      throw nothingPrepared();
  }
}

function nothingPrepared(): UpdateError {
  return new UpdateError('PLAN_MISSING', 'no update is prepared', { hint: 'offline-update prepare' });
}

/** The most telling code wins: somebody else's update, then what happened to ours, then everything else. */
async function refuseBlocked(
  update: PreparedUpdate,
  staged: StagedUpdate,
  findings: readonly Finding[],
): Promise<void> {
  const blocking = blocks(findings);
  const of = (check: string): Finding | undefined => blocking.find((finding) => finding.check === check);
  const foreign = of(TRIGGER_FOREIGN);
  if (foreign) throw new UpdateError('FOREIGN_TRIGGER', foreign.evidence, { hint: foreign.remedy, findings });
  if (of(STAGE_INTACT)) await staged.verify();
  const drift = of(DRIFT_CHECK);
  if (drift) {
    await markStale(update, drift.evidence);
    throw new UpdateError('DRIFT', drift.evidence, { hint: drift.remedy, findings });
  }
  const failed = of(FAILED_BEFORE);
  if (failed && blocking.length === 1)
    throw new UpdateError('FAILED_BEFORE', failed.evidence, { hint: failed.remedy, findings });
  const held = of(lockHeld.id);
  if (held && blocking.length === 1)
    throw new UpdateError('BUSY', held.evidence, { hint: held.remedy, findings });
  if (blocking.length > 0) {
    throw new UpdateError('PREFLIGHT_BLOCKED', blocking.map(({ evidence }) => evidence).join('; '), {
      hint: 'offline-update doctor',
      findings,
    });
  }
}
