/** Debian packages by apt and dpkg: the online half plans and fetches, the other one installs in the update boot. */
import type { PackagesPlan } from '../../../update/plan.js';
import type { Payload } from '../../payload.js';
import { aptInstalling, type AptInstallingDependencies } from './apt-installing.js';
import { aptPlanning } from './apt-planning.js';
import { planDifferences } from './apt-simulate.js';

export type AptDependencies = Omit<AptInstallingDependencies, 'simulatedDifferences'>;

export function aptPayload(dependencies: AptDependencies): Payload<PackagesPlan> {
  const { run: runCommand } = dependencies;
  return {
    ...aptPlanning(dependencies),
    ...aptInstalling({
      ...dependencies,
      simulatedDifferences: (plan, stage) => planDifferences({ runCommand }, plan, stage),
    }),
  };
}
