/**
 * Progress for people out of the package manager's status lines.
 *
 * apt's own percentage ends at 77 to 99.75 and stands still in scripts [lab.md 2], and dpkg gives none; so we count
 * how far each planned package has come. The percentage never goes back and stays below 100: the end is the caller's
 * to tell, when it is proven.
 */
import type { ProgressEvent } from '../../payload.js';
import type { Stage, StatusEvent } from './status-fd.js';

export interface InstallProgress {
  /** What to show for this event; undefined when there is nothing new to see. */
  see(event: StatusEvent): ProgressEvent | undefined;
  /** As last shown. */
  now(): { percent: number };
}

/** How much of a package's work is behind it, by stage. */
const share: Record<Stage, number> = {
  other: 0,
  preparing: 0.05,
  unpacking: 0.1,
  unpacked: 0.45,
  configuring: 0.55,
  removing: 0.5,
  done: 1,
};

const highestPercent = 99;

/** `names` are the planned packages, one a change: a name may stand twice (two architectures). */
export function installProgress(names: readonly string[]): InstallProgress {
  const weights = new Map<string, number>();
  for (const name of names) weights.set(name, (weights.get(name) ?? 0) + 1);
  const shares = new Map<string, number>();
  let percent = 0;

  const done = (): number =>
    [...shares].reduce((sum, [name, part]) => sum + (part === 1 ? (weights.get(name) ?? 0) : 0), 0);
  const percentNow = (): number => {
    let sum = 0;
    for (const [name, part] of shares) sum += part * (weights.get(name) ?? 0);
    return names.length === 0 ? 0 : Math.floor((sum / names.length) * highestPercent);
  };

  return {
    now: () => ({ percent }),
    see(event) {
      if (event.kind !== 'progress') return undefined;
      const { item, stage, text } = event;
      if (weights.has(item)) shares.set(item, Math.max(shares.get(item) ?? 0, share[stage]));
      percent = Math.max(percent, percentNow());
      const counted = { percent, itemsDone: done(), itemsTotal: names.length };
      const words = `${text.replace(/ \([a-z0-9-]+\)$/, '')} (${counted.itemsDone} of ${names.length})`;
      return item === 'dpkg-exec' ? { ...counted, text: words } : { ...counted, item, text: words };
    },
  };
}
