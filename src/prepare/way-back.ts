/**
 * Which way back would protect an update, does, or did: the policy that its plan has recorded, the provider, and whether
 * it was proven to be usable here, or why not. Told by `status`; `doctor` and `trigger` block by the same proof.
 */
import type { Support, WithoutSnapshots } from '../snapshots/snapshot-provider.js';
import { eventRows, noteRows } from '../update/journal-rows.js';
import type { Plan } from '../update/plan.js';
import type { Policy } from '../update/policy.js';
import type { KnownUpdate } from '../update/store.js';

export interface WayBack {
  /** As the plan holds them: what is changed in config.toml later counts for the next plan. */
  policy: Pick<Policy, 'snapshot' | 'withoutSnapshots'>;
  /** `ahead`: what the update boot would do, looked at now. `recorded`: what it did. */
  from: 'ahead' | 'recorded';
  /** Null where there is none. */
  provider: string | null;
  /** Usable, and the next boot would find it; null where it was not looked at (for others than root, and on the bus). */
  proven: boolean | null;
  /** How it would boot, or why there is none. */
  told: string;
}

/** `probe` resolves with undefined where it is not looked at. Null before an attempt has come so far, and without a plan. */
export async function wayBackOf(
  { journal }: KnownUpdate,
  plan: Plan,
  probe: (otherwise: WithoutSnapshots) => Promise<Support | undefined>,
): Promise<WayBack | null> {
  const { snapshot, withoutSnapshots } = plan.policy;
  const policy = { snapshot, withoutSnapshots };
  const { name } = journal.state;
  if (name === 'prepared' || name === 'armed') {
    const from = 'ahead';
    if (snapshot === 'off')
      return { policy, from, provider: null, proven: false, told: 'the policy wants none' };
    const support = await probe(withoutSnapshots);
    if (!support) {
      return {
        policy,
        from,
        provider: null,
        proven: null,
        told: 'not looked at here: sudo offline-update status tells whether there is one',
      };
    }
    const { usable, reason, provider } = support;
    return { policy, from, provider: (usable && provider) || null, proven: usable, told: reason };
  }
  return recorded(journal.rows, policy);
}

function recorded(rows: KnownUpdate['journal']['rows'], policy: WayBack['policy']): WayBack | null {
  const begun = eventRows(rows, 'installing').at(-1)?.entry;
  if (!begun) return null;
  const from = 'recorded';
  if (begun.fallback) {
    const { provider } = begun.fallback;
    return { policy, from, provider, proven: true, told: 'armed before the first change' };
  }
  const why = noteRows(rows, 'finding').findLast(({ entry }) => entry.check === 'snapshot');
  return { policy, from, provider: null, proven: false, told: why?.entry.message ?? 'no fallback' };
}
