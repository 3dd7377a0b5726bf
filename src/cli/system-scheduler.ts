/** The times of this machine: systemd's timers, logind's shutdown, the journal. */
import { nextCalendarTime } from '../host/calendar.js';
import type { RunCommand } from '../host/command.js';
import { powerLadder, systemPowerRungs } from '../host/power.js';
import { cancelScheduledShutdown, scheduledShutdown, scheduleReboot } from '../host/scheduled-shutdown.js';
import { systemLog } from '../host/system-log.js';
import { dropStarts, startAt } from '../host/timed-start.js';
import type { Scheduler } from '../prepare/when/scheduler.js';

const wake = {
  name: 'offline-update-wake',
  service: 'offline-update-scheduled.service',
  description: 'The time of an offline update',
};

export function systemScheduler(run: RunCommand, now: () => Date): Scheduler {
  const log = systemLog({ run, output: { write: () => true } });
  return {
    async wakeAt(at) {
      await dropStarts(run, wake);
      await startAt(run, wake, at, now());
    },
    forgetWake: () => dropStarts(run, wake),
    shutdown: () => scheduledShutdown(),
    scheduleReboot: (at, message) => scheduleReboot(at, message),
    async warn(message) {
      await run('wall', [message]).catch(() => undefined);
    },
    cancelShutdown: () => cancelScheduledShutdown(),
    leave: (way) =>
      powerLadder(systemPowerRungs({ runCommand: run, inhibitors: 'respect' }), () => undefined)(way),
    tell: (entry) => log.entry(entry),
    calendar: (expression) => nextCalendarTime(run, expression),
  };
}
