/**
 * How long an update boot took, in seconds, until its reboot request: when systemd begins to stop units, it has got it.
 * Throws when the boot ended otherwise, or its begin is not to be found.
 */
import type { BootRecord, JournalRow } from '../test/laboratory/laboratory.js';

export interface UpdateBootSpans {
  /** From sysinit.target, which every update service waits for. */
  fromSysinit: number;
  /**
   * From the first word of PID 1 on the console. Then the generators run, ours with them, and PID 1 waits for them; the
   * journal tells nothing of that, since PID 1 has no journald to tell before it has started one.
   */
  fromFirstWord: number;
}

/** What `systemd` says on the console before it does anything. */
export const firstWord = /^Welcome to /;

/** `rows`: of all boots. `firstWordSeconds`: on the clock of the journal. */
export function updateBootSpans(
  { ended, startedSeconds }: Pick<BootRecord, 'ended' | 'startedSeconds'>,
  rows: readonly JournalRow[],
  firstWordSeconds: number | undefined,
): UpdateBootSpans {
  if (ended !== 'reboot') throw new Error(`the update boot ended with ${ended}`);
  const { sysinit, end } = sysinitAndEnd(rows, startedSeconds);
  if (firstWordSeconds === undefined) throw new Error('PID 1 said no word on the console');
  return { fromSysinit: end - sysinit, fromFirstWord: end - firstWordSeconds };
}

/** Of the update boot that the request of a soft-reboot led into. Throws as above. */
export function fromSysinitAfter(rows: readonly JournalRow[], askedSeconds: number): number {
  const { sysinit, end } = sysinitAndEnd(rows, askedSeconds);
  return end - sysinit;
}

function sysinitAndEnd(rows: readonly JournalRow[], afterSeconds: number): { sysinit: number; end: number } {
  const ofSystemd = rows.filter(({ fields }) => fields['_COMM'] === 'systemd');
  const after = (seconds: number, pattern: RegExp): number | undefined =>
    ofSystemd.find((row) => row.monotonicSeconds > seconds && pattern.test(row.message))?.monotonicSeconds;
  const sysinit = after(afterSeconds, /^Reached target sysinit\.target/);
  const end = sysinit === undefined ? undefined : after(sysinit, /^(Removed slice|Stopping|Stopped) /);
  if (sysinit === undefined || end === undefined)
    throw new Error('the journal does not tell when the update boot began and ended');
  return { sysinit, end };
}
