/**
 * An update is armed and its reboot was asked for: is it still to come? If somebody took it back (`shutdown -c`) or put
 * another shutdown in its place, the update is disarmed as well, since it would otherwise be installed by whatever boot
 * comes next, at whatever hour.
 *
 * Undefined when it is not armed (any more). A reboot of ours that is still to come is cancelled then: who took the update
 * back could not, or somebody was sooner with a soft-reboot, which logind's shutdowns outlive.
 */
import { isHostError } from '../../host/host-error.js';
import type { Reason } from '../../update/events.js';
import { writeAskedShutdown, type AskedShutdown } from '../../update/scheduled.js';
import type { KnownUpdate } from '../../update/store.js';
import { disarm } from '../disarm.js';
import type { Online } from '../online.js';
import type { Attended } from './attend.js';
import { nextLook, nextTime } from './decide.js';
import { locks } from './hindrances.js';
import { forgetShutdown, isOurs, lastLook, nextWatch } from './leave-at.js';
import { tellPutOff } from './notices.js';
import { factsOf, notNow, putOff, type Case } from './put-off.js';
import type { Scheduler } from './scheduler.js';
import { dropShutdown } from './unschedule.js';

export async function watchReboot(
  online: Online,
  scheduler: Scheduler,
  options: Case['options'],
  asked: AskedShutdown,
  update: KnownUpdate | undefined,
): Promise<Attended | undefined> {
  const { id } = asked;
  if (update?.id !== id || update.journal.state.name !== 'armed') {
    await dropShutdown(online, scheduler, asked);
    return undefined;
  }
  const armed = { online, scheduler, options, asked, scheduled: asked.scheduled, update };
  const pending = await scheduler.shutdown();
  if (pending && isOurs(pending, asked)) return watchPending(armed, pending.at);
  if (pending) {
    return withdraw(online, scheduler, update, {
      code: 'REBOOT_WITHDRAWN',
      message: `somebody scheduled a ${pending.type} instead of the reboot that was announced for it`,
    });
  }
  if (asked.by === 'service') return leaveOurselves(armed);
  const message =
    asked.by === 'nobody'
      ? `a ${asked.type} into it was asked for, and the update did not begin`
      : 'somebody took back the reboot that was announced for it';
  return withdraw(online, scheduler, update, { code: 'REBOOT_WITHDRAWN', message });
}

interface ArmedCase extends Case {
  asked: AskedShutdown;
}

async function watchPending(of: ArmedCase, at: Date): Promise<Attended> {
  const { online, scheduler, options, update } = of;
  const now = online.moment.now();
  const soonest = nextLook(now);
  if (now >= lastLook(at) && now < at) {
    const found = await locks(options);
    if (found.length > 0) {
      // Before it: should this process end in between, an armed update without its reboot is found and disarmed.
      await scheduler.wakeAt(soonest);
      await scheduler.cancelShutdown();
      return disarmAndPutOff(of, notNow(found));
    }
  }
  const next = nextWatch(at, now);
  // Past and still there: somebody holds it up, and it is not looked at in a loop.
  await scheduler.wakeAt(now < at || next > soonest ? next : soonest);
  return { outcome: 'leaving', id: update.id, at, armed: null };
}

async function disarmAndPutOff(of: Case, reason: Reason): Promise<Attended> {
  await disarm(of.online, of.update, { event: 'cancelled', reason: reason.message });
  await forgetShutdown(of.online);
  return putOff(of, reason, nextTime(await factsOf(of)));
}

async function leaveOurselves(of: ArmedCase): Promise<Attended> {
  const { online, scheduler, options, asked, update } = of;
  const { id, type, at } = asked;
  const time = new Date(at);
  if (online.moment.now() < time) {
    await scheduler.wakeAt(time);
    return { outcome: 'leaving', id, at: time, armed: null };
  }
  const found = await locks(options);
  if (found.length > 0) return disarmAndPutOff(of, notNow(found));
  // An update boot that cannot claim the trigger, or write down what became of it, leaves the update armed, and after a
  // soft-reboot the file is still there: without this there would be another one, and another.
  await writeAskedShutdown(online.files, online.paths, { ...asked, by: 'nobody' });
  // Before it: in a shutdown no timer is set any more.
  await scheduler.wakeAt(nextLook(online.moment.now()));
  try {
    await scheduler.leave(type);
    return { outcome: 'leaving', id, at: time, armed: null };
  } catch (error) {
    if (!isHostError(error, 'POWER_REFUSED', 'POWER_INHIBITED')) throw error;
    const reason: Reason = { code: 'NOT_NOW', message: error.message };
    // That nobody on this machine can do it will not pass.
    if (error.code === 'POWER_REFUSED') return withdraw(online, scheduler, update, reason);
    return disarmAndPutOff(of, reason);
  }
}

async function withdraw(
  online: Online,
  scheduler: Scheduler,
  update: KnownUpdate,
  reason: Reason,
): Promise<Attended> {
  await disarm(online, update, { event: 'cancelled', reason: reason.message });
  await forgetShutdown(online);
  await tellPutOff(scheduler, update, reason, null);
  return { outcome: 'given-up', id: update.id, reason };
}
