/**
 * One verb at a time: everything that changes the stage or the trigger runs under one lock, which the kernel drops
 * however the process ends. What a former holder left half done is put right before `work` begins.
 *
 * Errors: `BUSY`, naming the holder, when it has not ended after `waitSeconds`; those of `work`.
 */
import { isHostError } from '../host/host-error.js';
import { UpdateError } from '../update/errors.js';
import { mendStage } from './mend-stage.js';
import type { Online } from './online.js';

/**
 * For what timers start: both of ours may start in the same instant, and what the other one does mostly takes seconds.
 * Longer, and the next hour or day is another chance.
 */
export const UNATTENDED_PATIENCE_SECONDS = 300;

export async function exclusively<T>(online: Online, work: () => Promise<T>, waitSeconds = 0): Promise<T> {
  const { fs, paths } = online;
  await fs.makeFolder(paths.runFolder, 0o755);
  const lock = await online.takeLock(paths.lock, waitSeconds).catch((error: unknown) => {
    if (!isHostError(error, 'LOCK_HELD')) throw error;
    throw new UpdateError('BUSY', `another run of offline-update is at work: ${error.message}`, {
      cause: error,
      hint: 'offline-update status',
    });
  });
  try {
    await mendStage(online);
    return await work();
  } finally {
    lock.release();
  }
}
