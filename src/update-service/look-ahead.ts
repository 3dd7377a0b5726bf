/**
 * What later phases have to know of a system that nothing has changed yet, and the way back as far as it changes nothing:
 * begun while the phase `check` waits for dpkg, so that it is there when its turn comes. Each answer is kept by whoever
 * gives it, and its failure is told by the phase that needs it.
 */
import type { Attempt } from './attempt.js';
import { beginArming } from './fallback.js';
import { hookFiles } from './hooks.js';

/** Nothing where hooks come in between, which may change all of it. */
export async function lookAhead(attempt: Attempt): Promise<void> {
  const { ports, plan, update } = attempt;
  if ((await hookFiles(ports.fs, ports.paths.hooksBefore)).length > 0) return;
  const { snapshot, packageSyncs } = plan.policy;
  const asked: (Promise<unknown> | undefined)[] = [];
  if (snapshot !== 'off') {
    const { support } = (attempt.arming = beginArming(attempt));
    // Where nothing boots after a cut but this root, no sync is spared.
    asked.push(
      support.then(({ usable }) => (usable && packageSyncs !== 'keep' ? ports.whySyncsStay() : undefined)),
    );
  }
  asked.push(ports.payload.lookAhead?.(plan.payload, update.paths.terminalLog));
  for (const answer of asked) answer?.catch(() => undefined);
}
