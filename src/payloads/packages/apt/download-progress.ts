/**
 * apt's `dlstatus:INDEX:PERCENT:TEXT` lines as bytes of the whole download. apt's percent is of what it still has to
 * fetch in this run; files that lie in the stage already count as done from the start.
 *
 * The percent of the events never goes back and stays below 100: only the caller knows the true end.
 */
import type { ProgressEvent } from '../../payload.js';

export interface DownloadProgress {
  /** Undefined for a line of another kind. */
  see(statusLine: string): ProgressEvent | undefined;
  /** A file that we brought ourselves. */
  add(bytes: number, text: string): ProgressEvent;
}

const dlstatus = /^dlstatus:[^:]*:(\d+(?:\.\d+)?):(.*)$/;
const almostAll = 99.9;

export function downloadProgress(bytesTotal: number, bytesThere: number): DownloadProgress {
  let base = bytesThere;
  let bytesDone = bytesThere;
  const event = (text: string): ProgressEvent => ({
    percent: bytesTotal === 0 ? 0 : Math.min(almostAll, (bytesDone / bytesTotal) * 100),
    text,
    bytesDone,
    bytesTotal,
  });
  return {
    see(statusLine) {
      const [, percent, text] = dlstatus.exec(statusLine) ?? [];
      if (percent === undefined || text === undefined) return undefined;
      const fetched = ((bytesTotal - base) * Math.min(Number(percent), 100)) / 100;
      bytesDone = Math.max(bytesDone, Math.round(base + fetched));
      return event(text);
    },
    add(bytes, text) {
      base = Math.min(bytesTotal, base + bytes);
      bytesDone = Math.max(bytesDone, base);
      return event(text);
    },
  };
}
