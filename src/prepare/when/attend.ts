/**
 * What there is to do now for an update that has a time: nothing yet, arm it and announce the reboot, try again later,
 * or give it up. Run by offline-update-scheduled.service when its timer elapses and in each boot that finds a time set, and
 * by `trigger` itself when the time is now.
 *
 * Nothing is armed before: a reboot that nobody planned does not install what was meant for the night. Everything is
 * looked at anew, since the answers of the afternoon say nothing of the night.
 */
import { asUpdateError, UpdateError } from '../../update/errors.js';
import type { Reason } from '../../update/events.js';
import { readAskedShutdown, readScheduled, type AskedShutdown } from '../../update/scheduled.js';
import { openingAt } from '../../update/windows.js';
import { disarm } from '../disarm.js';
import type { TriggerOptions } from '../examine.js';
import { exclusively } from '../exclusive.js';
import type { Online } from '../online.js';
import { isPassing } from '../preflight/passing.js';
import { blocks } from '../preflight/preflight.js';
import { armUpdate, type Triggered } from '../trigger.js';
import { decide, nextLook, nextTime, nextWindow, type Facts } from './decide.js';
import { hindrances } from './hindrances.js';
import { expectReboot, forgetShutdown, isBusError, leaveAt } from './leave-at.js';
import { factsOf, notNow, putOff, type Case } from './put-off.js';
import type { Scheduler } from './scheduler.js';
import { watchReboot } from './watch-reboot.js';

export type Attended =
  | { outcome: 'nothing' }
  /** `reason`: why not now; null when its time has not come. */
  | { outcome: 'waiting'; id: string | null; at: Date; reason: Reason | null }
  | { outcome: 'leaving'; id: string; at: Date; armed: Triggered | null }
  | { outcome: 'given-up'; id: string; reason: Reason };

export type AttendOptions = Pick<TriggerOptions, 'machine' | 'rehearsal' | 'onArming'>;

/**
 * While another run has the lock, it is tried again later. `makeOptions`: a policy that cannot be read just then costs two
 * minutes as well, and not the time. Errors: `SCHEDULE_INVALID`, `CONFIG_INVALID`.
 */
export async function attend(
  online: Online,
  scheduler: Scheduler,
  makeOptions: () => Promise<AttendOptions>,
): Promise<Attended> {
  try {
    const options = await makeOptions();
    return await exclusively(online, () => attendNow(online, scheduler, options));
  } catch (error) {
    const at = nextLook(online.moment.now());
    if (!(error instanceof UpdateError) || error.code === 'CONFIG_INVALID') {
      // A bus that for once does not answer leaves no time without its timer, and no armed update without its watch.
      await scheduler.wakeAt(at).catch(() => undefined);
      throw error;
    }
    if (error.code !== 'BUSY') throw error;
    await scheduler.wakeAt(at);
    return { outcome: 'waiting', id: null, at, reason: { code: error.code, message: error.message } };
  }
}

/** The same, for who has the lock already. */
export async function attendNow(
  online: Online,
  scheduler: Scheduler,
  options: AttendOptions,
): Promise<Attended> {
  const { fs, files, paths, store } = online;
  const update = await store.current();
  const asked: AskedShutdown | undefined = await readAskedShutdown(fs, paths);
  const watched = asked && (await watchReboot(online, scheduler, options, asked, update));
  if (watched) return watched;
  const scheduled = await readScheduled(fs, paths);
  if (!scheduled) return { outcome: 'nothing' };
  if (update?.id === scheduled.id && update.journal.state.name === 'prepared')
    return attendUpdate({ online, scheduler, options, scheduled, update });
  // It was armed and the power went before the time was taken away, or another plan took its place.
  await files.remove(paths.scheduled);
  return { outcome: 'nothing' };
}

interface DueCase extends Case {
  options: AttendOptions;
}

async function attendUpdate(of: DueCase): Promise<Attended> {
  const { scheduler, options, scheduled, update } = of;
  const facts = await factsOf(of);
  const decision = decide(facts);
  if (decision.do === 'wait') {
    await scheduler.wakeAt(decision.at);
    return { outcome: 'waiting', id: update.id, at: decision.at, reason: null };
  }
  if (decision.do === 'late') return putOff(of, missed(facts), nextWindow(facts));
  const found = await hindrances(options, scheduler, scheduled.whenIdle);
  if (found.length === 0) return armAndLeave(of, decision.reboot);
  return putOff(of, notNow(found), nextTime(facts));
}

function missed({ windows, now }: Facts): Reason {
  const isClosed = windows.length > 0 && !openingAt(windows, now);
  const message = isClosed ? 'the maintenance window is closed' : 'the machine was off or busy at its time';
  return { code: 'SCHEDULE_MISSED', message };
}

async function armAndLeave(of: DueCase, reboot: Date): Promise<Attended> {
  const { online, scheduler, options, scheduled } = of;
  const { action, force, rehearse } = scheduled;
  const rehearsal = { ...options.rehearsal, isWanted: rehearse };
  const wish = { ...options, rehearsal, force, isAnnounced: true, ...(action !== null && { action }) };
  try {
    // Should this process end in between, our service finds an armed update without its reboot, and disarms it.
    await expectReboot(online, scheduler, { id: scheduled.id, type: 'reboot', at: reboot, scheduled });
    const armed = await armUpdate(online, wish);
    // A rehearsal may have taken its time.
    const decision = decide(await factsOf(of));
    if (decision.do !== 'arm')
      throw new UpdateError('SCHEDULE_MISSED', 'the checks took until its time was over');
    // Anew: they took minutes perhaps, and logind would put our reboot in the place of somebody else's shutdown.
    const found = await hindrances(options, scheduler, scheduled.whenIdle);
    if (found.length > 0) throw new UpdateError('NOT_NOW', notNow(found).message);
    await leaveAt(online, scheduler, { id: armed.id, type: armed.wayIn, at: decision.reboot, scheduled });
    return { outcome: 'leaving', id: armed.id, at: decision.reboot, armed };
  } catch (error) {
    const isPassing = isBusError(error);
    return afterError(
      of,
      isPassing ? new UpdateError('NOT_NOW', error.message, { cause: error }) : asUpdateError(error),
    );
  }
}

async function afterError(of: DueCase, error: UpdateError): Promise<Attended> {
  const { code, message, findings } = error;
  // Read anew: rows were written since.
  const update = (await of.online.store.current()) ?? of.update;
  // Armed without a reboot that is announced, it would wait for the next accident.
  if (update.journal.state.name === 'armed')
    await disarm(of.online, update, { event: 'cancelled', reason: message });
  await forgetShutdown(of.online);
  const blocking = blocks(findings);
  const mayPass = code === 'NOT_NOW' || (blocking.length > 0 && blocking.every(isPassing));
  const facts = await factsOf(of);
  const next = mayPass ? nextTime(facts) : code === 'SCHEDULE_MISSED' ? nextWindow(facts) : undefined;
  return putOff({ ...of, update }, { code, message }, next);
}
