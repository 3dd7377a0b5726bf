/** A root that was set aside has booted: what does that make of the updates that it knows (update/fallback-mark.ts)? */
import type { Reason } from '../update/events.js';
import type { FallbackMark } from '../update/fallback-mark.js';
import { rolledBackBy } from '../update/held.js';
import { reasonToRevert } from '../update/reverting.js';
import { readStaged } from '../update/stage.js';
import { isVerdict, type StateName } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import { closeUpdate, dropConfirmed, saveReport } from './close.js';
import { readable } from './readable.js';
import type { Ports } from './ports.js';
import { tells, type Rescued } from './rescued.js';

/** The journals are those of the other root by now, as far as it could be read. `update`: that of the mark, if known. */
export async function settleReturn(
  ports: Ports,
  mark: FallbackMark,
  update: KnownUpdate | undefined,
  rescued: Rescued,
): Promise<void> {
  switch (mark.role) {
    case 'fallback':
      if (update) await settleFallback(ports, update, rescued);
      return;
    case 'rollback':
      // The other root, and with it the record of how this update ended, is gone.
      if (update && moments[update.journal.state.name] !== undefined) {
        const message = 'rolled back by hand; what became of it before that is not known here';
        await update.journal.append({ event: 'reverted', reason: { code: 'SNAPSHOT_FAILED', message } });
      }
      await settleRollback(ports, mark.rollback ?? mark.id, (id) => mark.holds?.includes(id) ?? id < mark.id);
      return;
    case 'drill':
      ports.log.write(
        'warning',
        `drill ${mark.id} was cut short: this is its snapshot of the root. What was written while it ran is in the ` +
          `other one: offline-update rollback ${mark.id}`,
      );
      return;
    case 'kept':
    case 'failed':
      ports.log.write('warning', `the root that was set aside (${mark.id}) has booted after all`);
  }
}

async function settleFallback(ports: Ports, update: KnownUpdate, rescued: Rescued): Promise<void> {
  const { id, journal } = update;
  if (journal.state.name === 'confirmed') {
    await settleRollback(ports, id, (other) => other < id);
    return;
  }
  const when = moments[journal.state.name];
  if (when !== undefined) {
    const reason = reasonToRevert(journal.rows) ?? reasonOf(when, rescued);
    await journal.append({ event: 'reverted', reason });
  }
  await saveReport(ports, update);
  await closeUpdate(ports);
  ports.log.write('warning', `this is the root from before update ${id}, which is ${journal.state.name}`);
}

/** A confirmed update stays confirmed: that it is no longer, or again, in the root that boots is told beside it. */
async function settleRollback(ports: Ports, rollback: string, holds: (id: string) => boolean): Promise<void> {
  const { store, log } = ports;
  for (const id of (await store.ids()).reverse()) {
    const update = await readable(ports, id);
    if (!update) continue;
    const { journal } = update;
    if (journal.state.name !== 'confirmed' || holds(id) === (rolledBackBy(journal.rows) === undefined))
      continue;
    await journal.append({ note: holds(id) ? 'rolled-forward' : 'rolled-back', rollback });
    await saveReport(ports, update);
    log.write('notice', `update ${id} is rolled ${holds(id) ? 'forward' : 'back'}`);
  }
  // The stage is that of the time when this root was set aside; only what was never armed can still be installed. One
  // without its plan is what a cut in the midst of its removal left.
  const staged = await readStaged(ports.fs, ports.paths.stage);
  if (staged === undefined || (await isOver(ports, staged.id))) await dropConfirmed(ports);
  ports.announce.rollback(rollback);
  await closeUpdate(ports);
  log.write('warning', `rollback ${rollback}: another root was made the one that boots`);
}

async function isOver(ports: Ports, id: string): Promise<boolean> {
  const update = await readable(ports, id);
  return update !== undefined && isVerdict(update.journal.state.name);
}

/** States that a cut leaves behind; in all others the verdict is written already. */
const moments: Partial<Record<StateName, string>> = {
  claimed: 'before the first package was changed',
  installing: 'in the midst of the install',
  installed: 'right before the updated system was made the one that boots',
};

function reasonOf(when: string, rescued: Rescued): Reason {
  return tells(rescued, 'fallback-boots-next')
    ? { code: 'SERVICE_CRASHED', message: `the update service ended ${when}` }
    : { code: 'INSTALL_INTERRUPTED', message: `the update boot was cut short ${when}` };
}
