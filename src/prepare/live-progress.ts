/** The progress of a running `prepare` for whoever looks: `offline-update status --follow`, a desktop, a dashboard. */
import type { Progress } from '../payloads/payload.js';
import {
  LIVE_STATUS_FORMAT,
  removeLiveStatus,
  writeLiveStatus,
  type LiveStatus,
} from '../update/live-status.js';
import type { Online } from './online.js';

const SPACING_MILLISECONDS = 200;

export interface LiveProgress {
  on: Progress;
  /** Nothing is going on any more. */
  end(): Promise<void>;
}

export function liveProgress(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  clock = () => new Date(),
): LiveProgress {
  const since = clock().toISOString();
  let writtenAt = -Infinity;
  let writing: Promise<void> = Promise.resolve();
  return {
    on({ percent, text, item, stalled }) {
      const now = clock();
      if (now.getTime() - writtenAt < SPACING_MILLISECONDS) return;
      writtenAt = now.getTime();
      const status: LiveStatus = {
        format: LIVE_STATUS_FORMAT,
        pid: process.pid,
        id: null,
        state: 'preparing',
        phase: 'prepare',
        percent: Math.floor(percent),
        package: item ?? null,
        text,
        since,
        lastEvent: now.toISOString(),
        stalled: stalled ?? false,
      };
      // For looking, not for deciding: it never holds anything up.
      writing = writing.then(() => writeLiveStatus(fs, paths, status)).catch(() => undefined);
    },
    async end() {
      // One that was refused before it began must not take away what somebody else tells.
      if (writtenAt === -Infinity) return;
      await writing;
      await removeLiveStatus(fs, paths).catch(() => undefined);
    },
  };
}
