/**
 * Would the plan still do today what was planned, and can dpkg work at all? Asked at the trigger and again at the
 * start of the update boot; milliseconds, read only, no lock.
 *
 * Checks: `drift`: packages were changed since the plan was made, or apt would now do something else; `dpkg-dirty`:
 * an earlier run of dpkg was interrupted or left broken packages; `lock-held` instead of both as long as somebody is at
 * work on the packages, since what is in between says nothing of what it will be.
 */
import { PACKAGES_CHANGED } from '../../../update/drift.js';
import type { Finding } from '../../../update/finding.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Stage } from '../../payload.js';
import { inShort } from './apt-simulate.js';
import { auditInShort } from './audit-in-short.js';
import type { BasePorts } from './base-drift.js';
import { decisionInputs } from './decision-inputs.js';
import { dpkgLockHolder, type LockHolder } from './dpkg-lock.js';

export interface PreflightPorts extends BasePorts {
  /** How the simulation of the very command that would run differs from the plan; empty when it does not. */
  simulatedDifferences(plan: PackagesPlan, stage: Stage): Promise<string[]>;
}

export async function preflightPlan(
  ports: PreflightPorts,
  proven: PackagesPlan | Promise<PackagesPlan>,
  stage: Stage,
): Promise<Finding[]> {
  const found = await look(ports, proven, stage);
  if (found.length === 0) return [];
  const holder = await dpkgLockHolder(ports.files, ports.root);
  if (holder) return [lockHeld(holder)];
  // It may have come to its end just now. What apt would do was asked of a database as it is planned.
  return found.some(({ check, evidence }) => check !== 'drift' || evidence === PACKAGES_CHANGED)
    ? look(ports, proven, stage)
    : found;
}

async function look(
  ports: PreflightPorts,
  proven: PackagesPlan | Promise<PackagesPlan>,
  stage: Stage,
): Promise<Finding[]> {
  const { database } = ports;
  const asking = Promise.all([
    database.audit(),
    database.pendingJournal(),
    decisionInputs(ports.files, ports.root),
  ]);
  asking.catch(() => undefined); // told below, unless the plan is refused
  const plan = await proven;
  const [audit, journal, inputs] = await asking;
  if (audit !== '' || journal.length > 0) {
    const evidence =
      audit === ''
        ? `dpkg was interrupted: ${journal.length} entries in its journal`
        : `dpkg --audit says: ${auditInShort(audit)}`;
    return [{ check: 'dpkg-dirty', severity: 'block', evidence, remedy: 'dpkg --configure -a' }];
  }
  // apt has decided by the very same before, dpkg's database included, and the plan is what it said
  if (inputs !== undefined && inputs === plan.decidedBy) return [];
  if ((await database.fingerprint()) !== plan.baseFingerprint) return [drift(PACKAGES_CHANGED)];
  const differing = await ports.simulatedDifferences(plan, stage);
  if (differing.length === 0) return [];
  return [drift(`apt would now do something else than planned: ${inShort(differing)}`)];
}

function lockHeld({ lock, pid, command }: LockHolder): Finding {
  return {
    check: 'lock-held',
    severity: 'block',
    evidence: `${command} (process ${pid}) is at work on the packages and holds ${lock}`,
    remedy: `wait until it has ended, then try again; what it does: ps -fp ${pid}`,
  };
}

function drift(evidence: string): Finding {
  return { check: 'drift', severity: 'block', evidence, remedy: 'offline-update prepare' };
}
