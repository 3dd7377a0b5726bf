/**
 * What a person should know before the reboot and the update itself need not ask: configuration files of theirs that
 * stay or go, packages on hold, a boot loader that would not know its disk. Read only; the running system alone asks.
 */
import type { RunCommand } from '../../../../host/command.js';
import type { FileSystem } from '../../../../host/file-system.js';
import type { Finding } from '../../../../update/finding.js';
import type { PackagesPlan } from '../../../../update/plan.js';
import type { Policy } from '../../../../update/policy.js';
import type { DpkgDatabase } from '../dpkg-database.js';
import { changedConffiles } from './changed-conffiles.js';
import { grubDevices } from './grub-devices.js';
import { heldPackages } from './held-packages.js';

export interface AdvicePorts {
  runCommand: RunCommand;
  files: FileSystem;
  database: DpkgDatabase;
  root: string;
}

export type Advice = (ports: AdvicePorts, plan: PackagesPlan, policy: Policy) => Promise<Finding[]>;

const advices: readonly Advice[] = [changedConffiles, heldPackages, grubDevices];

export async function advisePlan(ports: AdvicePorts, plan: PackagesPlan, policy: Policy): Promise<Finding[]> {
  return (await Promise.all(advices.map((advice) => advice(ports, plan, policy)))).flat();
}
