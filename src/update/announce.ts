/**
 * Tells the machine's listeners of each event, once it is durable: the journal (an entry with a message id), the line
 * at log-in, the dashboard's file. Beside the way of the update: nothing waits for it, and nothing fails with it.
 */
import { join } from 'node:path';
import type { FileSystem } from '../host/file-system.js';
import type { SystemLog } from '../host/system-log.js';
import { announcement, rollbackMotd, type Announcement } from './announcement.js';
import { writeDashboardStatus } from './dashboard-status.js';
import type { UpdateEvent } from './events.js';
import type { LiveStatus } from './live-status.js';
import type { Paths } from './paths.js';
import type { Policy } from './policy.js';
import { removeIfThere, replaceFile } from './replace-file.js';

export interface Announcer {
  event: (id: string, event: UpdateEvent) => void;
  /** What stands since a row of an earlier boot, whose files a power cut may have taken; no entry, which has been made. */
  again: (id: string, event: UpdateEvent) => void;
  rollback: (id: string) => void;
  /** Between two events; for the dashboard's file alone. */
  progress: (status: LiveStatus) => void;
  /** All that was told has arrived, or never will. */
  settled: () => Promise<void>;
}

export interface AnnouncerParts {
  fs: FileSystem;
  paths: Paths;
  log: Pick<SystemLog, 'entry'>;
  /** Read when something is told for the first time. */
  policy: () => Promise<Pick<Policy, 'statusFile'>>;
}

export function announcer({ fs, paths, log, policy }: AnnouncerParts): Announcer {
  let last: Promise<unknown> = Promise.resolve();
  let statusFile: Promise<string> | undefined;
  /** In the order of the events; a listener that cannot be reached is not the update's trouble. */
  const then = (tell: () => Promise<unknown>): void => {
    last = last.then(tell).catch(() => undefined);
  };
  const dashboard = (status: Parameters<typeof writeDashboardStatus>[2]): void => {
    then(async () => {
      statusFile ??= policy().then((found) => found.statusFile);
      const path = await statusFile;
      if (path !== 'none') await writeDashboardStatus(fs, join(paths.root, path), status);
    });
  };
  const motd = (text: string | null): void => {
    then(() => (text === null ? removeIfThere(fs, paths.motd) : replaceFile(fs, paths.motd, `${text}\n`)));
  };
  const show = (said: Announcement): void => {
    if (said.motd !== undefined) motd(said.motd);
    if (said.dashboard) dashboard(said.dashboard);
  };
  return {
    event(id, event) {
      const said = announcement(id, event);
      const { entry } = said;
      if (entry) then(() => log.entry(entry));
      show(said);
    },
    again(id, event) {
      show(announcement(id, event));
    },
    rollback(id) {
      motd(rollbackMotd(id));
    },
    progress({ id, percent, text }) {
      dashboard({ state: 'installing', progress: percent, description: text, updateTo: id ?? '' });
    },
    async settled() {
      await last;
    },
  };
}
