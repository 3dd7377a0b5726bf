/**
 * `status --follow`: what goes on, as it goes on. Ends when nothing does any more: at the end of a `prepare`, or, in an
 * update boot, with the boot itself.
 */
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { lookAtChanges } from '../host/watch-folder.js';
import { readLiveStatus, type LiveStatus } from '../update/live-status.js';
import type { Paths } from '../update/paths.js';

/** `on` is told of each live status, once; resolves at once when nothing is going on. */
export async function followLive(
  fs: FileSystem,
  paths: Paths,
  on: (status: LiveStatus) => void,
): Promise<void> {
  try {
    await fs.makeFolder(paths.runFolder, 0o755);
  } catch (error) {
    // Others than root cannot make it; as long as nobody has, nothing goes on.
    if (isErrno(error, 'EACCES')) return;
    throw error;
  }
  let before = '';
  await lookAtChanges(paths.runFolder, async () => {
    const live = await readLiveStatus(fs, paths);
    if (!live || live.phase === 'done') return false;
    const text = JSON.stringify(live);
    if (text !== before) on(live);
    before = text;
    return true;
  });
}
