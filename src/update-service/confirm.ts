/** The first ordinary boot after the install: everything is still there, so the update is confirmed. */
import { UpdateError } from '../update/errors.js';
import { packagesAreWhole } from '../update/finding.js';
import { closeUpdate, dropConfirmed, saveReport } from './close.js';
import { KEPT_FALLBACKS } from '../snapshots/snapshot-provider.js';
import type { Ports } from './ports.js';

export async function confirm(ports: Ports): Promise<void> {
  const update = await ports.store.current();
  if (update?.journal.state.name !== 'installed') return;
  const plan = await ports.store.readPlan(update);
  const findings = await ports.payload.verify(plan.payload, 'ordinary');
  const blocks = findings.filter(({ severity }) => severity === 'block');
  for (const { check, evidence } of findings) {
    await update.journal.append({ note: 'finding', check, message: evidence });
  }
  if (blocks.length > 0) {
    const message = blocks.map(({ evidence }) => evidence).join('; ');
    await update.journal.append({
      event: 'failed',
      reason: { code: 'VERIFY_FAILED', message },
      healed: packagesAreWhole(findings),
    });
    await saveReport(ports, update, plan);
    await closeUpdate(ports);
    // boot-complete.target requires this unit: a boot whose update is not whole is not a good one.
    throw new UpdateError('VERIFY_FAILED', message, { hint: `offline-update report ${update.id}` });
  }
  await update.journal.append({ event: 'confirmed' });
  await saveReport(ports, update, plan);
  await closeUpdate(ports);
  await dropConfirmed(ports);
  await ports.snapshots.prune(KEPT_FALLBACKS).catch((error: unknown) => {
    ports.log.write('warning', `old snapshots could not be removed: ${String(error)}`);
  });
  ports.log.write('notice', `update ${update.id} is confirmed: ${plan.payload.changes.length} changes`);
}
