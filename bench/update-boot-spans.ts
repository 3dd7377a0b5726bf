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
  const ofSystemd = rows.filter(
    ({ fields, monotonicSeconds }) => fields['_COMM'] === 'systemd' && monotonicSeconds > startedSeconds,
  );
  const sysinit = ofSystemd.find(({ message }) => message.startsWith('Reached target sysinit.target'));
  const end = ofSystemd.find(({ message }) => /^(Removed slice|Stopping|Stopped) /.test(message));
  if (!sysinit || !end) throw new Error('the journal does not tell when the update boot began and ended');
  if (firstWordSeconds === undefined) throw new Error('PID 1 said no word on the console');
  return {
    fromSysinit: end.monotonicSeconds - sysinit.monotonicSeconds,
    fromFirstWord: end.monotonicSeconds - firstWordSeconds,
  };
}
