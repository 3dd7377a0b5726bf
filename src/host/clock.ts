/** When the clock of this machine was last known to be right. */
import { stat } from 'node:fs/promises';
import { isErrno } from './host-error.js';

/** systemd-timesyncd touches it after each synchronization; undefined where another program, or none, does that. */
export async function lastSynchronization(
  path = '/var/lib/systemd/timesync/clock',
): Promise<Date | undefined> {
  try {
    return (await stat(path)).mtime;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
