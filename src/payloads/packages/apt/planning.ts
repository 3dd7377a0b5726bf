/** What every way to a plan shares: its ports, and what the download needs to know of a plan beside the plan. */
import type { RunCommand } from '../../../host/command.js';
import type { FileSystem } from '../../../host/file-system.js';
import type { StartJob } from '../../../host/job.js';
import { UpdateError } from '../../../update/errors.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Policy } from '../../../update/policy.js';
import { auditInShort } from './audit-in-short.js';
import type { Stanza } from './control-stanzas.js';
import { dpkgDatabase, type DpkgDatabase } from './dpkg-database.js';
import { dpkgLockHolder } from './dpkg-lock.js';

export interface PlanningDependencies {
  paths: { root: string };
  fs: FileSystem;
  run: RunCommand;
  startJob: StartJob;
}

export interface PlanningPorts {
  runCommand: RunCommand;
  startJob: StartJob;
  files: FileSystem;
  database: DpkgDatabase;
  root: string;
}

export function planningPorts({ paths, fs, run, startJob }: PlanningDependencies): PlanningPorts {
  const { root } = paths;
  return { runCommand: run, startJob, files: fs, root, database: dpkgDatabase(run, fs, root) };
}

/** Not sealed: of use only until the files lie in the stage. */
export interface PlanContext {
  policy: Policy;
  /** Where each file (relative to the stage) comes from. */
  uris: ReadonlyMap<string, string>;
  /** `decisionInputs` when the plan was begun. */
  inputs: string | undefined;
  /** Of a plugin's packages, which no index of apt may know. */
  stanzas?: readonly Stanza[];
}

type DatabasePorts = Pick<PlanningPorts, 'files' | 'root' | 'database'>;

/**
 * Nobody else works on the packages, and they are whole: else apt plans nonsense.
 *
 * Errors: `BUSY` naming the holder of dpkg's lock; `PLAN_FAILED`.
 */
export async function checkDatabase(ports: DatabasePorts): Promise<void> {
  const { database } = ports;
  await refuseHeld(ports);
  const [audit, journal] = await Promise.all([database.audit(), database.pendingJournal()]);
  if (audit === '' && journal.length === 0) return;
  // Somebody may have begun since: then it is in between, and not out of order.
  await refuseHeld(ports);
  const evidence = audit === '' ? 'an earlier run of dpkg was interrupted' : auditInShort(audit);
  throw new UpdateError('PLAN_FAILED', `the package database is not in order: ${evidence}`, {
    hint: 'dpkg --configure -a',
  });
}

async function refuseHeld({ files, root }: DatabasePorts): Promise<void> {
  const holder = await dpkgLockHolder(files, root);
  if (!holder) return;
  throw new UpdateError('BUSY', `${holder.lock} is held by process ${holder.pid} (${holder.command})`, {
    hint: 'wait until the other package manager is done, then try again',
  });
}

export function nothingToDo(): UpdateError {
  return new UpdateError('NOTHING_TO_DO', 'there is nothing to update');
}

/** Of the plans made in this process; a plan alone is sealed and says no more than the update boot needs. */
const contexts = new WeakMap<PackagesPlan, PlanContext>();

export function keepContext(plan: PackagesPlan, context: PlanContext): PackagesPlan {
  contexts.set(plan, context);
  return plan;
}

export function contextOf(plan: PackagesPlan): PlanContext {
  const context = contexts.get(plan);
  if (context) return context;
  throw new UpdateError('INTERNAL', 'the files of a plan can only be fetched by the process that planned it');
}
