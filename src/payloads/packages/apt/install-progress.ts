/**
 * Progress for people out of the package manager's status lines.
 *
 * apt's own percentage ends at 77 to 99.75 and stands still in scripts, and dpkg gives none; so we count
 * how far each planned package has come. The percentage never goes back and stays below 100: the end is the caller's
 * to tell, when it is proven.
 */
import type { ProgressEvent } from '../../payload.js';
import type { Stage, StatusEvent } from './status-fd.js';

export interface InstallProgress {
  /** What to show when the program has been started and has said nothing yet. */
  begun(program: string): ProgressEvent;
  /** What to show for this event; undefined when there is nothing new to see. */
  see(event: StatusEvent): ProgressEvent | undefined;
  /** As last shown. */
  now(): { percent: number };
}

/** How much of a package's work is behind it, in hundredths, by stage. */
const share: Record<Stage, number> = {
  other: 0,
  preparing: 5,
  unpacking: 10,
  unpacked: 45,
  configuring: 55,
  removing: 50,
  done: 100,
};

const highestPercent = 99;

/** `names` are the planned packages, one a change: a name may stand twice (two architectures). */
export function installProgress(names: readonly string[]): InstallProgress {
  const weights = new Map<string, number>();
  for (const name of names) weights.set(name, (weights.get(name) ?? 0) + 1);
  const shares = new Map<string, number>();
  // sums that each event adds to: there may be thousands of packages, with some ten events each
  let [behind, itemsDone, percent] = [0, 0, 0];

  const advance = (item: string, stage: Stage): void => {
    const weight = weights.get(item);
    const [before, after] = [shares.get(item) ?? 0, share[stage]];
    if (weight === undefined || after <= before) return;
    shares.set(item, after);
    behind += (after - before) * weight;
    if (after === share.done) itemsDone += weight;
    percent = Math.max(percent, Math.floor((behind / names.length / share.done) * highestPercent));
  };

  const shown = (words: string): ProgressEvent => ({
    percent,
    itemsDone,
    itemsTotal: names.length,
    text: `${words} (${itemsDone} of ${names.length})`,
  });

  return {
    now: () => ({ percent }),
    begun: (program) => shown(`Running ${program}`),
    see(event) {
      if (event.kind !== 'progress') return undefined;
      const { item, stage, text } = event;
      advance(item, stage);
      const words = shown(text.replace(/ \([a-z0-9-]+\)$/, ''));
      return item === 'dpkg-exec' ? words : { ...words, item };
    },
  };
}
