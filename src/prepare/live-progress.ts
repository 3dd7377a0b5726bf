/** The progress of a running `prepare` for whoever looks: `offline-update status --follow`, a desktop, a dashboard. */
import type { Progress, ProgressEvent } from '../payloads/payload.js';
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

/** What goes on while an update is planned and downloaded, and while it is rehearsed. */
export const preparing = { state: 'preparing', phase: 'prepare' } as const;
export const rehearsing = { state: 'rehearsing', phase: 'rehearse' } as const;

export function liveProgress(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  clock = () => new Date(),
  work: Pick<LiveStatus, 'state' | 'phase'> = preparing,
): LiveProgress {
  // not told before there is something to tell: the first date that a process writes costs 11 ms
  const since = clock();
  let writtenAt = -Infinity;
  let later: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  const write = ({ percent, text, item, stalled }: ProgressEvent): void => {
    const now = clock();
    writtenAt = now.getTime();
    const status: LiveStatus = {
      format: LIVE_STATUS_FORMAT,
      pid: process.pid,
      id: null,
      ...work,
      percent: Math.floor(percent),
      package: item ?? null,
      text,
      since: since.toISOString(),
      lastEvent: now.toISOString(),
      stalled: stalled ?? false,
    };
    // For looking, not for deciding: it never holds anything up.
    writing = writing.then(() => writeLiveStatus(fs, paths, status)).catch(() => undefined);
  };
  return {
    on(event) {
      clearTimeout(later);
      const wait = writtenAt + SPACING_MILLISECONDS - clock().getTime();
      // what comes too soon is told a little later, unless something newer is there by then
      if (wait <= 0) write(event);
      else later = setTimeout(write, wait, event);
    },
    async end() {
      clearTimeout(later);
      // One that was refused before it began must not take away what somebody else tells.
      if (writtenAt === -Infinity) return;
      await writing;
      await removeLiveStatus(fs, paths).catch(() => undefined);
    },
  };
}
