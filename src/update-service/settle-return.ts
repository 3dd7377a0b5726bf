/** The fallback has booted: the update did not complete, and this is the machine as it was before. */
import type { Reason } from '../update/events.js';
import type { StateName } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import { closeUpdate, saveReport } from './close.js';
import type { Ports } from './ports.js';
import { reasonToRevert } from './unhealthy.js';

/** The journal is that of the failed root by now, as far as it could be read. */
export async function settleReturn(
  ports: Ports,
  update: KnownUpdate,
  rescued: readonly string[],
): Promise<void> {
  const { journal } = update;
  const when = moments[journal.state.name];
  if (when !== undefined) {
    const reason = reasonToRevert(journal.rows) ?? reasonOf(when, rescued);
    await journal.append({ event: 'reverted', reason });
  }
  if (journal.state.name === 'confirmed') {
    const message = 'the root from before this update was made the one that boots, by hand';
    await journal.append({ note: 'finding', check: 'fallback', message });
  }
  await saveReport(ports, update, await ports.store.readPlan(update));
  await closeUpdate(ports);
  ports.log.write(
    'warning',
    `this is the root from before update ${update.id}, which is ${journal.state.name}`,
  );
}

/** States that a cut leaves behind; in all others the verdict is written already. */
const moments: Partial<Record<StateName, string>> = {
  claimed: 'before the first package was changed',
  installing: 'in the midst of the install',
  installed: 'right before the updated system was made the one that boots',
};

function reasonOf(when: string, rescued: readonly string[]): Reason {
  return rescued.some((line) => line.includes('fallback-boots-next'))
    ? { code: 'SERVICE_CRASHED', message: `the update service ended ${when}` }
    : { code: 'INSTALL_INTERRUPTED', message: `the update boot was cut short ${when}` };
}
