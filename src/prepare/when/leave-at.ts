/**
 * The reboot into an armed update, announced: logind warns everybody who is logged in and begins it (wall(1),
 * shutdown(8)). What is asked for is written down first, so that later only our own reboot is taken back. A soft-reboot is
 * our service's own (host/scheduled-shutdown.ts).
 *
 * Some seconds before it our service wakes, since it would end a package manager that has begun meanwhile, and one minute
 * after it: a machine that is still up then was kept up by somebody (`shutdown -c`).
 *
 * Errors: `NOT_NOW` when an inhibitor forbids it.
 */
import { isHostError, type HostError } from '../../host/host-error.js';
import type { ScheduledShutdown } from '../../host/scheduled-shutdown.js';
import { UpdateError } from '../../update/errors.js';
import type { WayIn } from '../../update/events.js';
import { zonedText } from '../../update/zoned-time.js';
import {
  SCHEDULE_FORMAT,
  writeAskedShutdown,
  type AskedShutdown,
  type Scheduled,
} from '../../update/scheduled.js';
import type { Online } from '../online.js';
import type { Scheduler } from './scheduler.js';

export interface AnnouncedReboot {
  id: string;
  type: WayIn;
  at: Date;
  scheduled: Scheduled;
}

const LAST_LOOK_SECONDS = 15;
const GRACE_SECONDS = 60;

/** Before anything is armed: our service looks for this reboot right before its time, and a minute after it. */
export async function expectReboot(
  { files, paths, moment }: Online,
  scheduler: Scheduler,
  { id, type, at, scheduled }: AnnouncedReboot,
  by: AskedShutdown['by'] = 'logind',
): Promise<void> {
  const asked = { format: SCHEDULE_FORMAT, id, type, at: at.toISOString(), by, scheduled } as const;
  await writeAskedShutdown(files, paths, asked);
  await scheduler.wakeAt(by === 'service' ? at : nextWatch(at, moment.now()));
}

export async function leaveAt(online: Online, scheduler: Scheduler, leaving: AnnouncedReboot): Promise<void> {
  const { type, at } = leaving;
  const message = wallText(leaving.scheduled.awaySeconds);
  if (type === 'soft-reboot') {
    await expectReboot(online, scheduler, leaving, 'service');
    await scheduler.warn(`Soft-reboot at ${zonedText(at)}. ${message}`);
    return;
  }
  await expectReboot(online, scheduler, leaving);
  try {
    await scheduler.scheduleReboot(at, message);
  } catch (error) {
    if (isHostError(error, 'POWER_INHIBITED')) {
      throw new UpdateError('NOT_NOW', `the reboot is forbidden: ${error.message}`, {
        cause: error,
        hint: 'systemd-inhibit --list',
      });
    }
    if (!isBusError(error)) throw error;
    // Our service asks for the reboot itself, and warns: logind may only have been silent, with people logged in.
    await expectReboot(online, scheduler, leaving, 'service');
    await scheduler.warn(`Reboot at ${zonedText(at)}. ${message}`);
  }
}

/** When an announced reboot is looked at next: right before it, else after it. */
export function nextWatch(at: Date, now: Date): Date {
  const last = lastLook(at);
  return now < last ? last : new Date(at.getTime() + GRACE_SECONDS * 1000);
}

/** logind looks at inhibitors when it is asked, minutes before, and at no package manager at all. */
export function lastLook(at: Date): Date {
  return new Date(at.getTime() - LAST_LOOK_SECONDS * 1000);
}

export function isBusError(error: unknown): error is HostError {
  return isHostError(error, 'BUS_ABSENT', 'BUS_GONE', 'BUS_REFUSED', 'BUS_TIMEOUT');
}

/** Is the shutdown that logind will begin the one that we asked for? */
export function isOurs(pending: ScheduledShutdown | undefined, { type, at }: AskedShutdown): boolean {
  return pending?.type === type && pending.at.getTime() === Date.parse(at);
}

export async function forgetShutdown({ files, paths }: Online): Promise<void> {
  await files.remove(paths.shutdown);
}

function wallText(awaySeconds: number | null): string {
  const away = awaySeconds === null ? '' : ` It will be away for about ${minutesText(awaySeconds)}.`;
  return `This machine installs a system update.${away} To prevent that: offline-update cancel`;
}

function minutesText(seconds: number): string {
  return seconds < 90 ? `${Math.max(1, Math.round(seconds))} seconds` : `${Math.ceil(seconds / 60)} minutes`;
}
