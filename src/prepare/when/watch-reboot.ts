/**
 * An update is armed and its reboot was asked for: is it still to come? Undefined when it is not armed (any more). If somebody took it back (`shutdown -c`), the
 * update is disarmed as well, since it would otherwise be installed by whatever reboot comes next.
 */
import { isHostError } from '../../host/host-error.js';
import type { Reason } from '../../update/events.js';
import type { AskedShutdown } from '../../update/scheduled.js';
import type { KnownUpdate } from '../../update/store.js';
import { disarm } from '../disarm.js';
import type { Online } from '../online.js';
import type { Attended } from './attend.js';
import { afterIt, forgetShutdown } from './leave-at.js';
import { tellPutOff } from './notices.js';
import type { Scheduler } from './scheduler.js';

export async function watchReboot(
  online: Online,
  scheduler: Scheduler,
  asked: AskedShutdown,
  update: KnownUpdate | undefined,
): Promise<Attended | undefined> {
  const { id } = asked;
  if (update?.id !== id || update.journal.state.name !== 'armed') {
    await forgetShutdown(online);
    return undefined;
  }
  const pending = await scheduler.shutdown();
  // Ours, or one that somebody set in its place: in either case a boot comes, and the update with it.
  if (pending) {
    await scheduler.wakeAt(afterIt(pending.at));
    return { outcome: 'leaving', id, at: pending.at, armed: null };
  }
  if (asked.by === 'service') return leaveOurselves(online, scheduler, asked, update);
  return withdraw(online, scheduler, update, {
    code: 'REBOOT_WITHDRAWN',
    message: 'somebody took back the reboot that was announced for it',
  });
}

async function leaveOurselves(
  online: Online,
  scheduler: Scheduler,
  { id, type, at }: AskedShutdown,
  update: KnownUpdate,
): Promise<Attended> {
  const time = new Date(at);
  if (online.moment.now() < time) {
    await scheduler.wakeAt(time);
    return { outcome: 'leaving', id, at: time, armed: null };
  }
  try {
    await scheduler.leave(type);
    return { outcome: 'leaving', id, at: time, armed: null };
  } catch (error) {
    if (!isHostError(error, 'POWER_REFUSED', 'POWER_INHIBITED')) throw error;
    return withdraw(online, scheduler, update, { code: 'NOT_NOW', message: error.message });
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
