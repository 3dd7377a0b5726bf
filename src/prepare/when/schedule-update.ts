/**
 * `trigger --at`, `--when-idle`, and `trigger` where the policy has windows: everything is checked and rehearsed now, and
 * the update gets the time at which it is armed. Where that time is now, it is armed at once.
 *
 * Errors: those of examine.ts; `USAGE` for a time in no window; `NOTHING_TO_DO`, unattended, when there is nothing prepared
 * that has no time yet, and instead of `BUSY`; `CONFIG_INVALID`, unattended, without windows.
 */
import { totalSeconds } from '../../update/away.js';
import { asUpdateError, UpdateError } from '../../update/errors.js';
import type { Finding } from '../../update/finding.js';
import { firstLine } from '../../update/first-line.js';
import { SCHEDULE_FORMAT, writeScheduled, type Scheduled } from '../../update/scheduled.js';
import { disarm } from '../disarm.js';
import { examine, type Examined, type TriggerOptions } from '../examine.js';
import { exclusively, UNATTENDED_PATIENCE_SECONDS } from '../exclusive.js';
import type { Online } from '../online.js';
import { attendNow, type Attended } from './attend.js';
import { isTakenBack, lastPutOff, scheduledWords, tellPutOff, tellScheduled } from './notices.js';
import type { Scheduler } from './scheduler.js';
import { chooseTerm, type Term } from './term.js';
import { unschedule } from './unschedule.js';

export interface ScheduleOptions extends TriggerOptions {
  /** Undefined: as soon as the policy allows it. */
  at?: Date;
  whenIdle: boolean;
  /** By a timer: what somebody has set, taken back or seen fail is left to people. */
  isUnattended: boolean;
}

export interface ScheduledUpdate extends Pick<Examined, 'findings' | 'rehearsal' | 'estimate'> {
  id: string;
  term: Term;
  attended: Attended;
}

export async function scheduleUpdate(
  online: Online,
  scheduler: Scheduler,
  options: ScheduleOptions,
): Promise<ScheduledUpdate> {
  const work = (): Promise<ScheduledUpdate> => giveTime(online, scheduler, options);
  if (!options.isUnattended) return exclusively(online, work);
  try {
    return await exclusively(online, work, UNATTENDED_PATIENCE_SECONDS);
  } catch (error) {
    if (!(error instanceof UpdateError) || error.code !== 'BUSY') throw error;
    throw new UpdateError('NOTHING_TO_DO', error.message, { cause: error, hint: 'offline-update status' });
  }
}

async function giveTime(
  online: Online,
  scheduler: Scheduler,
  options: ScheduleOptions,
): Promise<ScheduledUpdate> {
  const { machine, at, whenIdle, isUnattended } = options;
  const { windows } = machine.policy;
  const now = online.moment.now();
  if (isUnattended) await refuseUnattended(online, options);
  // What cannot be is said before the costly part.
  chooseTerm({ at, whenIdle, awaySeconds: null }, now, windows);
  const { update, findings, rehearsal, estimate } = await examined(online, scheduler, options);
  const awaySeconds = estimate && totalSeconds(estimate);
  const term = chooseTerm({ at, whenIdle, awaySeconds }, now, windows);
  await options.onArming?.();
  const scheduled: Scheduled = {
    ...times(term),
    ...{ format: SCHEDULE_FORMAT, id: update.id, askedAt: now.toISOString(), whenIdle },
    ...{ action: options.action ?? null, force: options.force ?? false, awaySeconds },
    rehearse: options.rehearsal.isWanted,
  };
  let attended: Attended;
  try {
    await writeScheduled(online.files, online.paths, scheduled);
    await tellScheduled(scheduler, update, term);
    attended = await attendNow(online, scheduler, options);
  } catch (error) {
    await undo(online, scheduler).catch(() => undefined);
    throw error;
  }
  return { id: update.id, term, attended, findings: [...findings, ...cramped(term)], rehearsal, estimate };
}

/** Without its timer the time would never come, and one that was not told to anybody must not. */
async function undo(online: Online, scheduler: Scheduler): Promise<void> {
  const reason = 'its time could not be set';
  try {
    const update = await online.store.current();
    if (update?.journal.state.name === 'armed') await disarm(online, update, { event: 'cancelled', reason });
  } finally {
    // No note: nobody took it back, and a timer may try again.
    await unschedule(online, scheduler, undefined, reason);
  }
}

function times({ at, until }: Term): Pick<Scheduled, 'at' | 'until'> {
  return { at: at.toISOString(), until: until?.toISOString() ?? null };
}

function cramped({ isCramped, at, until }: Term): Finding[] {
  if (!isCramped || !until) return [];
  const minutes = Math.round((until.getTime() - at.getTime()) / 60_000);
  return [
    {
      check: 'window',
      severity: 'warn',
      evidence: `the maintenance window has ${minutes} min left then, and the update will take longer`,
      remedy: 'none is needed to go on; a longer window: man 5 offline-update.toml',
    },
  ];
}

async function examined(online: Online, scheduler: Scheduler, options: ScheduleOptions): Promise<Examined> {
  try {
    return await examine(online, options, true);
  } catch (error) {
    const update = options.isUnattended ? await online.store.current().catch(() => undefined) : undefined;
    const { code, message } = asUpdateError(error);
    if (update?.journal.state.name === 'prepared')
      await tellPutOff(scheduler, update, { code, message }, null);
    throw error;
  }
}

async function refuseUnattended(online: Online, { machine }: ScheduleOptions): Promise<void> {
  const update = await online.store.current().catch(() => undefined);
  if (update?.journal.state.name !== 'prepared')
    throw new UpdateError('NOTHING_TO_DO', 'no update waits to be installed', {
      hint: 'offline-update status',
    });
  const said = await scheduledWords(online, update.id);
  if (said !== undefined)
    throw new UpdateError('NOTHING_TO_DO', `${said} already`, { hint: 'offline-update status' });
  const given = lastPutOff(update);
  if (given)
    throw new UpdateError(
      'NOTHING_TO_DO',
      `update ${update.id} was given up: ${firstLine(given.reason.message)}`,
      {
        hint: 'offline-update trigger',
      },
    );
  if (isTakenBack(update))
    throw new UpdateError('NOTHING_TO_DO', `update ${update.id} was taken back by somebody`, {
      hint: 'offline-update trigger',
    });
  if (machine.policy.windows.length === 0)
    throw new UpdateError(
      'CONFIG_INVALID',
      'the policy has no maintenance window in which the machine may reboot',
      {
        hint: 'man 5 offline-update.toml',
      },
    );
}
