/**
 * Would the plan still do today what was planned, and can dpkg work at all? Asked at the trigger and again at the
 * start of the update boot; milliseconds, read only, no lock.
 *
 * Checks: `drift`: packages were changed since the plan was made, or apt would now do something else; `dpkg-dirty`:
 * an earlier run of dpkg was interrupted or left broken packages.
 */
import type { Finding } from '../../../update/finding.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Stage } from '../../payload.js';
import type { DpkgDatabase } from './dpkg-database.js';

export interface PreflightPorts {
  database: DpkgDatabase;
  /** How the simulation of the very command that would run differs from the plan; empty when it does not. */
  simulatedDifferences(plan: PackagesPlan, stage: Stage): Promise<string[]>;
}

const shownDifferences = 5;

export async function preflightPlan(
  ports: PreflightPorts,
  plan: PackagesPlan,
  stage: Stage,
): Promise<Finding[]> {
  const { database } = ports;
  const [audit, journal, fingerprint, differing] = await Promise.all([
    database.audit(),
    database.pendingJournal(),
    database.fingerprint(),
    ports.simulatedDifferences(plan, stage),
  ]);
  if (audit !== '' || journal.length > 0) {
    const evidence =
      audit === ''
        ? `dpkg was interrupted: ${journal.length} entries in its journal`
        : `dpkg --audit says: ${audit.replace(/\s+/g, ' ')}`;
    return [{ check: 'dpkg-dirty', severity: 'block', evidence, remedy: 'dpkg --configure -a' }];
  }
  if (fingerprint !== plan.baseFingerprint) {
    return [drift('packages were installed, removed, held or released since the update was prepared')];
  }
  if (differing.length === 0) return [];
  const more = differing.length - shownDifferences;
  const shown = differing.slice(0, shownDifferences).join('; ') + (more > 0 ? `; and ${more} more` : '');
  return [drift(`apt would now do something else than planned: ${shown}`)];
}

function drift(evidence: string): Finding {
  return { check: 'drift', severity: 'block', evidence, remedy: 'offline-update prepare' };
}
