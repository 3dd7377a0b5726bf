/**
 * Were packages changed since the plan was made? As long as all is the same by which apt agreed to the plan
 * (decision-inputs.ts), no program need be asked; dpkg tells of what else was changed, such as a mark of apt's alone,
 * whether it concerns a package. Read only, no lock.
 *
 * Errors: `INTERNAL` when dpkg cannot be asked.
 */
import type { FileSystem } from '../../../host/file-system.js';
import type { PackagesPlan } from '../../../update/plan.js';
import { decisionInputs } from './decision-inputs.js';
import type { DpkgDatabase } from './dpkg-database.js';

export interface BasePorts {
  root: string;
  files: FileSystem;
  database: DpkgDatabase;
}

export async function baseDrifted(ports: BasePorts, plan: PackagesPlan): Promise<boolean> {
  const { database } = ports;
  if (plan.decidedBy !== undefined) {
    const [inputs, journal] = await Promise.all([
      // not everybody may read apt's configuration: a proxy's password can stand in it
      decisionInputs(ports.files, ports.root).catch(() => undefined),
      database.pendingJournal(),
    ]);
    // what an interrupted dpkg has written down is part of its database
    if (inputs === plan.decidedBy && journal.length === 0) return false;
  }
  return (await database.fingerprint()) !== plan.baseFingerprint;
}
