/** A link of ours without an armed update: a copy of a disk, a hand, or a cancel that was cut short left it. */
import type { StateName } from '../../update/state.js';
import { readTriggers, type TriggerTruth } from '../../update/trigger-link.js';
import type { Check } from './context.js';

/** In these a link of ours is where it belongs. */
export const attempted: ReadonlySet<StateName> = new Set(['armed', 'claimed', 'installing', 'installed']);

export const triggerLeft: Check = {
  id: 'trigger-left',
  async run({ fs, paths, isAttempted = false }) {
    if (isAttempted) return [];
    const left = (await readTriggers(fs, paths.triggers)).filter(({ link }) => link.kind === 'ours');
    return left.map((trigger) => ({
      check: 'trigger-left',
      severity: 'block',
      evidence: describeLeft(trigger),
      remedy: 'offline-update cancel',
    }));
  },
};

/** One sentence, without an end. */
export function describeLeft({ path }: Pick<TriggerTruth, 'path'>): string {
  return `${path} is set, but no update is armed: the next boot will refuse it`;
}
