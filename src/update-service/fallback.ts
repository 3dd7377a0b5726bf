/** The way back: armed before the first change, taken when a later phase fails (invariant 4). */
import type { Fallback, Support } from '../snapshots/snapshot-provider.js';
import { UpdateError } from '../update/errors.js';
import type { Attempt } from './attempt.js';
import { beginSnapperPair } from './snapper-pair.js';

/** Begun ahead; until `proceed` the root that boots next stays the same one. */
export interface Arming {
  support: Promise<Support>;
  /** Undefined where there is no way back. */
  fallback: Promise<Fallback | undefined>;
  proceed: () => void;
  /** Resolves when it is taken back, as far as that can be done; after `proceed` it only waits. */
  abandon: () => Promise<void>;
}

export function beginArming({ ports, plan, update }: Attempt): Arming {
  const { withoutSnapshots } = plan.policy;
  let proceed = (): void => undefined;
  let refuse = proceed;
  let isRefused = false;
  const when = new Promise<void>((resolve, reject) => {
    proceed = resolve;
    refuse = () => {
      isRefused = true;
      reject(new UpdateError('SNAPSHOT_UNAVAILABLE', 'nothing is to be installed'));
    };
  });
  when.catch(() => undefined);
  const support = ports.snapshots.probe(withoutSnapshots);
  const fallback = support.then(({ usable }) =>
    usable && !isRefused
      ? ports.snapshots.armFallback(update.id, { otherwise: withoutSnapshots, when })
      : undefined,
  );
  const settled = fallback.then(
    () => undefined,
    () => undefined,
  );
  const abandon = (): Promise<void> => {
    refuse();
    return settled;
  };
  return { support, fallback, proceed, abandon };
}

/** Errors: `SNAPSHOT_UNAVAILABLE` where the policy requires one. Which applied is recorded, never silent. */
export async function armFallback(attempt: Attempt): Promise<void> {
  const { plan, update } = attempt;
  const wish = plan.policy.snapshot;
  if (wish === 'off') {
    await update.journal.append({
      note: 'finding',
      check: 'snapshot',
      message: 'no fallback: the policy says off',
    });
    return;
  }
  // First, while the running root still has its own name.
  await beginSnapperPair(attempt);
  const arming = attempt.arming ?? beginArming(attempt);
  arming.proceed();
  attempt.fallback = await arming.fallback;
  if (attempt.fallback) return;
  const support = await arming.support;
  if (wish === 'require') {
    throw new UpdateError('SNAPSHOT_UNAVAILABLE', `the policy requires a fallback: ${support.reason}`);
  }
  await update.journal.append({
    note: 'finding',
    check: 'snapshot',
    message: `no fallback: ${support.reason}`,
  });
}

/** What the root that is given up should tell in the one that comes back; then the failure again. */
export async function giveUp({ ports, fallback, plan, update }: Attempt, error: unknown): Promise<void> {
  if (fallback) {
    const leftovers = await ports.payload.leftovers(plan.payload).catch(() => []);
    for (const leftover of leftovers) await update.journal.append({ note: 'conffile', ...leftover });
  }
  throw error;
}

/**
 * Back to the old root, with the record; it boots next in any case (invariant 4), and its own first boot
 * brings over what could not be brought now.
 */
export async function revert({ ports, fallback, update }: Attempt): Promise<void> {
  if (!fallback) return;
  try {
    await ports.snapshots.revert(fallback, update.id);
  } catch (error) {
    ports.log.write('warning', `the record could not be brought to the fallback: ${String(error)}`);
  }
}

/** Found in mid-install although a fallback was armed: a soft-reboot led back into the root that is given up. */
export function strayed(): Promise<void> {
  const message = 'cut short in the midst of the install';
  return Promise.reject(new UpdateError('INSTALL_INTERRUPTED', message));
}
