/** What keeps times on this machine: the timer that wakes our service, and the reboot that logind announces. */
import type { ScheduledShutdown } from '../../host/scheduled-shutdown.js';
import type { LogEntry } from '../../host/system-log.js';
import type { WayIn } from '../../update/events.js';

export interface Scheduler {
  /** Starts offline-update-scheduled.service then, in this boot; instead of what was asked for before. */
  wakeAt(at: Date): Promise<void>;
  forgetWake(): Promise<void>;
  /** Anybody's. */
  shutdown(): Promise<ScheduledShutdown | undefined>;
  /** By logind, with its warnings. Errors: HostError `POWER_INHIBITED`, `BUS_*`. */
  scheduleReboot(at: Date, message: string): Promise<void>;
  /** To everybody who is logged in; never fails. */
  warn(message: string): Promise<void>;
  cancelShutdown(): Promise<boolean>;
  /** The reboot, at once. Resolves with the name of what took the request. Errors: HostError `POWER_REFUSED`. */
  leave(way: WayIn): Promise<string>;
  /** An entry in the journal of the machine; never fails. */
  tell(entry: LogEntry): Promise<void>;
  /** The next time of a calendar expression; undefined when it is none. */
  calendar(expression: string): Promise<Date | undefined>;
}
