/**
 * `offline-update trigger`: preflight, rehearsal, then the trigger (offline-updates(7), step 2).
 *
 * The order is write-ahead: whatever the update boot reads is durable before the link that leads into it, and the link
 * is the last act, one exclusive symlink(2). A power cut before it leaves an update that may be armed by its journal and
 * has no link: the next boot is an ordinary one, which records that the update never ran.
 *
 * Errors: `PLAN_MISSING`, `ARMED`, `BLOCKED`, `BUSY`, `WRONG_STATE`; `FOREIGN_TRIGGER`, `DRIFT`, `STAGE_*`, `PLAN_*`,
 * `FAILED_BEFORE` and `PREFLIGHT_BLOCKED` of the preflight, the latter with all findings; `REHEARSAL_*`.
 */
import { isErrno } from '../host/host-error.js';
import type { Away } from '../update/away.js';
import { UpdateError } from '../update/errors.js';
import type { Action } from '../update/events.js';
import type { Finding } from '../update/finding.js';
import { TRIGGER_TARGET } from '../update/paths.js';
import type { Plan } from '../update/plan.js';
import { rebootKindOf } from '../update/reboot-kind.js';
import type { Rehearsal } from '../update/rehearsal.js';
import type { KnownUpdate } from '../update/store.js';
import { exclusively } from './exclusive.js';
import type { HostFacts } from './host-facts.js';
import type { Online } from './online.js';
import { DRIFT_CHECK, markStale } from './stale.js';
import { blocks, preflight } from './preflight/preflight.js';
import type { PreflightContext, StagedUpdate } from './preflight/context.js';
import { STAGE_INTACT } from './preflight/stage-intact.js';
import { describeForeign, TRIGGER_FOREIGN } from './preflight/trigger-foreign.js';
import { foretell } from './rehearse/foretell.js';
import { rehearseBeforeArming, type RehearsalOptions } from './rehearse/before-arming.js';
import { FAILED_BEFORE } from './preflight/failed-before.js';
import { stagedUpdate } from './staged-update.js';
import { takeBaseline } from './take-baseline.js';
import { chooseTriggerPath } from './trigger-path.js';
import { refuseUnderWay } from './under-way.js';
import { readLinkTruth } from '../update/trigger-link.js';

export interface TriggerOptions {
  /** Instead of the plan's own policy. */
  action?: Action;
  /** Also arms what failed here before. */
  force?: boolean;
  /** All that the preflight needs but the update itself. */
  machine: Omit<PreflightContext, 'staged' | 'isForced'>;
  rehearsal: RehearsalOptions;
}

export interface Triggered {
  id: string;
  action: Action;
  /** Why `auto` became this action; null when it was wished for. */
  because: string | null;
  trigger: string;
  /** What the preflight saw that does not block, and why there was no rehearsal where one was wanted. */
  findings: Finding[];
  rehearsal: Rehearsal | null;
  /** How long the machine will be away; null without a rehearsal. */
  estimate: Record<keyof Away, number> | null;
}

export function triggerUpdate(online: Online, options: TriggerOptions): Promise<Triggered> {
  const { action, force = false, machine } = options;
  return exclusively(online, async () => {
    const update = await preparedUpdate(online, action);
    const staged = await stagedUpdate(online, update.planHash);
    const look = async (): Promise<Finding[]> => {
      const found = await preflight({ ...machine, staged, isForced: force });
      await refuseBlocked(update, staged, found);
      return found;
    };
    let findings = await look();
    const plan = await staged.verify();
    const { policy } = plan;
    const sealed = { plan, planHash: update.planHash };
    const { rehearsal, findings: unrehearsed } = await rehearseBeforeArming(
      online,
      machine.policy,
      options.rehearsal,
      update,
      sealed,
    );
    // A rehearsal takes its time, in which somebody may have installed a package or armed another update.
    if (rehearsal) findings = await look();
    const estimate = rehearsal && (await foretell(online, options.rehearsal.machine, plan, rehearsal));
    if (estimate) await update.journal.append({ note: 'estimate', ...estimate });
    const trigger = await chooseTriggerPath(online.paths, machine.facts);
    if (trigger === undefined) throw new UpdateError('INTERNAL', 'the preflight let an unwritable root pass');
    findings.push(...(await takeBaseline(online, update, machine.facts)));
    const armed = { ...(await endOf(plan, action ?? policy.action, machine.facts)), trigger };
    await carryOut(armingSteps(online, update, armed));
    return { id: update.id, ...armed, findings: [...findings, ...unrehearsed], rehearsal, estimate };
  });
}

/** `auto` is decided here, by what changes; the update boot looks again at what really did. */
export async function endOf(
  plan: Plan,
  wish: Action,
  facts: Pick<HostFacts, 'systemdVersion'>,
): Promise<{ action: Action; because: string | null }> {
  if (wish !== 'auto') return { action: wish, because: null };
  return rebootKindOf(plan.payload.changes, await facts.systemdVersion());
}

type PreparedUpdate = KnownUpdate & { planHash: string };

async function preparedUpdate(online: Online, action: Action | undefined): Promise<PreparedUpdate> {
  const update = await online.store.current();
  if (update) await refuseUnderWay(online, update);
  const state = update?.journal.state;
  switch (state?.name) {
    case 'prepared':
      return Object.assign(update as KnownUpdate, { planHash: state.planHash });
    case 'armed': {
      const other = action !== undefined && action !== state.action;
      throw new UpdateError(
        'ARMED',
        `update ${update?.id ?? ''} is armed already, to end in ${state.action}` +
          (other ? `; cancel it first to end in ${action}` : ''),
        { hint: other ? 'offline-update cancel' : 'systemctl reboot' },
      );
    }
    case 'stale':
      throw new UpdateError('DRIFT', `the prepared update no longer fits: ${state.reason.message}`, {
        hint: 'offline-update prepare',
      });
    case 'blocked':
      throw new UpdateError('BLOCKED', `update ${update?.id ?? ''} is blocked: ${state.reason.message}`, {
        hint: 'offline-update clean',
      });
    case 'claimed':
    case 'installing':
    case 'installed':
      throw new UpdateError(
        'WRONG_STATE',
        `update ${update?.id ?? ''} is ${state.name} and has no verdict yet`,
        {
          hint: 'offline-update status',
        },
      );
    case undefined:
    case 'none':
    case 'refused':
    case 'failed':
    case 'reverted':
    case 'confirmed':
      throw new UpdateError('PLAN_MISSING', 'no update is prepared', { hint: 'offline-update prepare' });
  }
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
    throw new UpdateError('DRIFT', drift.evidence, { hint: 'offline-update prepare', findings });
  }
  const failed = of(FAILED_BEFORE);
  if (failed && blocking.length === 1)
    throw new UpdateError('FAILED_BEFORE', failed.evidence, { hint: failed.remedy, findings });
  if (blocking.length > 0) {
    throw new UpdateError('PREFLIGHT_BLOCKED', blocking.map(({ evidence }) => evidence).join('; '), {
      hint: 'offline-update doctor',
      findings,
    });
  }
}

interface Step {
  step: string;
  run(): Promise<unknown>;
  undo(): Promise<unknown>;
}

/** Read top to bottom; when a row fails, the rows above it are undone, the last one first. */
function armingSteps(
  { paths, files, fs, store }: Online,
  { id, journal, planHash }: PreparedUpdate,
  { action, because, trigger }: Pick<Triggered, 'action' | 'because' | 'trigger'>,
): readonly Step[] {
  return [
    {
      step: 'forget the claims and the rescue of an earlier update',
      run: async () => {
        await files.remove(paths.claims);
        await files.remove(paths.rescued);
      },
      undo: () => Promise.resolve(),
    },
    {
      step: 'write down the wished end for the shell',
      run: () => files.replace(paths.action, `${action}\n`, 0o644),
      undo: () => files.remove(paths.action),
    },
    // Before the row: cut in between, the next boot closes what was never armed. The other way round it would stay armed
    // by its record, without a link, and no unit would look.
    { step: 'let our units start', run: () => store.markOpen(id), undo: () => store.unmarkOpen() },
    {
      step: 'name the plan outside the stage',
      run: () =>
        journal.append({ event: 'armed', planHash, action, trigger, ...(because !== null && { because }) }),
      undo: () => journal.append({ event: 'cancelled', reason: 'the trigger could not be set' }),
    },
    {
      step: 'set the trigger',
      run: async () => {
        try {
          await files.link(TRIGGER_TARGET, trigger);
        } catch (error) {
          if (!isErrno(error, 'EEXIST')) throw error;
          const found = describeForeign(trigger, await readLinkTruth(fs, trigger));
          throw new UpdateError('FOREIGN_TRIGGER', found ?? `${trigger} was set by somebody else just now`, {
            cause: error,
            hint: 'offline-update status',
          });
        }
      },
      undo: () => files.remove(trigger),
    },
  ];
}

async function carryOut(steps: readonly Step[]): Promise<void> {
  const done: Step[] = [];
  for (const step of steps) {
    try {
      await step.run();
      done.unshift(step);
    } catch (error) {
      for (const earlier of done) await earlier.undo();
      throw error;
    }
  }
}
