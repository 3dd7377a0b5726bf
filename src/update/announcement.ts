/** What is said of an event, to each kind of listener. Words only: announce.ts carries them. */
import type { LogEntry, Priority } from '../host/system-log.js';
import type { DashboardStatus } from './dashboard-status.js';
import type { UpdateEvent } from './events.js';
import { messageIds } from './message-ids.js';
import { tellEvent } from './report.js';

export interface Announcement {
  /** For the journal of the machine; undefined: not worth an entry. */
  entry: LogEntry | undefined;
  /** The line at each log-in: a text, or null for none any more; undefined leaves it as it is. */
  motd: string | null | undefined;
  /** Undefined where the live progress tells more. */
  dashboard: DashboardStatus | undefined;
}

export function announcement(id: string, event: UpdateEvent): Announcement {
  const told = tellEvent(event);
  return {
    entry:
      event.event === 'prepared'
        ? undefined
        : {
            messageId: messageIds[event.event],
            message: `update ${id}: ${told}`,
            priority: priorities[event.event] ?? 'notice',
            fields: {
              OFFLINE_UPDATE_ID: id,
              OFFLINE_UPDATE_EVENT: event.event,
              ...('reason' in event &&
                typeof event.reason === 'object' && { OFFLINE_UPDATE_REASON: event.reason.code }),
            },
          },
    motd: motdOf(id, event, told),
    dashboard: dashboardOf(id, event, told),
  };
}

const priorities: Partial<Record<UpdateEvent['event'], Priority>> = {
  failed: 'error',
  blocked: 'error',
  reverted: 'warning',
  refused: 'warning',
  stale: 'warning',
  resumed: 'warning',
};

function motdOf(id: string, event: UpdateEvent, told: string): string | null | undefined {
  const report = `offline-update report ${id}`;
  switch (event.event) {
    case 'armed':
      return 'An offline update is armed: the next boot installs it (offline-update status)';
    case 'stale':
      return 'The prepared offline update no longer fits the system (offline-update status)';
    case 'cancelled':
      return null;
    case 'confirmed':
      return `The offline update ${id} was installed (${report})`;
    case 'refused':
    case 'failed':
    case 'reverted':
    case 'blocked':
      return `The offline update ${id} did not succeed: ${told} (${report})`;
    case 'claimed':
      // Seen in a boot that is led past the update, and until it has its verdict.
      return `The offline update ${id} was begun and has no verdict yet (offline-update status)`;
    case 'prepared':
    case 'installing':
    case 'resumed':
    case 'installed':
      return undefined;
  }
}

/** The line at log-in after a rollback, which is no event of an update. */
export function rollbackMotd(rollback: string): string {
  return `Rollback ${rollback}: the system from another time boots (offline-update history)`;
}

function dashboardOf(id: string, event: UpdateEvent, told: string): DashboardStatus | undefined {
  const installing = (progress: number): DashboardStatus => ({
    state: 'installing',
    progress,
    description: told,
    updateTo: id,
  });
  switch (event.event) {
    case 'prepared':
    case 'claimed':
    case 'installing':
    case 'resumed':
      return undefined;
    case 'armed':
      return installing(0);
    case 'installed':
      return installing(99);
    case 'confirmed':
      return { state: 'success', progress: 100, description: told, updateTo: '' };
    case 'cancelled':
      return { state: 'success', progress: 100, description: told, updateTo: '' };
    case 'stale':
    case 'refused':
    case 'failed':
    case 'reverted':
    case 'blocked':
      return { state: 'failed', progress: 100, description: told, updateTo: id };
  }
}
