/**
 * Is all of the plan really there (invariant 9)? Each package at its version and `ii`, each removed one gone,
 * `dpkg --audit` silent, dpkg's journal empty, `apt-get check` content. No exit code of the installation counts, and
 * an empty plan is no success: there was something to be done.
 *
 * Everything is asked at the same time; nothing is changed and no lock is taken.
 */
import type { RunCommand } from '../../../host/command.js';
import type { Finding } from '../../../update/finding.js';
import type { PackageChange, PackagesPlan } from '../../../update/plan.js';
import { aptEnvironment } from './apt-environment.js';
import { auditInShort } from './audit-in-short.js';
import { asInDatabase, compareVersions } from './debian-version.js';
import type { DpkgDatabase, PackageState } from './dpkg-database.js';
import { packageKey } from './dpkg-database.js';

export interface VerifyPorts {
  runCommand: RunCommand;
  database: DpkgDatabase;
}

export interface VerifyOptions {
  /** What is newer than planned is there, too. */
  orNewer?: boolean;
  /** Of `argumentsAsDecided`: the install may have changed what apt decides by, but not which architectures are installed. */
  asDecided?: readonly string[];
}

export async function verifyPlan(
  ports: VerifyPorts,
  plan: PackagesPlan,
  { orNewer = false, asDecided = [] }: VerifyOptions = {},
): Promise<Finding[]> {
  if (plan.changes.length === 0) return [finding('package-state', 'the plan changes nothing')];
  // What takes longest comes first.
  const [database, states] = await Promise.all([verifyDatabase(ports, asDecided), ports.database.states()]);
  return [...plan.changes.flatMap((change) => verifyChange(change, states, orNewer)), ...database];
}

/** The package database alone, whatever was planned. */
async function verifyDatabase(
  { runCommand, database }: VerifyPorts,
  asDecided: readonly string[],
): Promise<Finding[]> {
  const [check, audit, journal] = await Promise.all([
    runCommand('apt-get', [...asDecided, ...checkArguments], { env: aptEnvironment(), extendEnv: false }),
    database.audit(),
    database.pendingJournal(),
  ]);
  return [
    ...(audit === '' ? [] : [finding('dpkg-audit', `dpkg --audit says: ${auditInShort(audit)}`)]),
    ...(journal.length === 0
      ? []
      : [finding('dpkg-journal', `dpkg was interrupted: ${journal.length} entries in its journal`)]),
    ...(check.exitCode === 0
      ? []
      : [finding('apt-check', `apt-get check says: ${oneLine(check.stderr || check.stdout)}`)]),
  ];
}

/** Without the package lists: only what is installed is judged, in milliseconds instead of seconds. */
const checkArguments = [
  '-q',
  '-o',
  'Dir::Etc::SourceList=/dev/null',
  '-o',
  'Dir::Etc::SourceParts=/dev/null',
  // names a release that no source has now: apt would call that an error
  '-o',
  'APT::Default-Release=',
  '-o',
  'Dir::Cache::pkgcache=',
  '-o',
  'Dir::Cache::srcpkgcache=',
  '-o',
  'Debug::NoLocking=true',
  'check',
];

export function verifyChange(
  change: PackageChange,
  states: ReadonlyMap<string, PackageState>,
  orNewer = false,
): Finding[] {
  const key = packageKey(change.name, change.architecture);
  const state = states.get(key);
  if (change.to === null) {
    const isGone = state === undefined || state.abbreviation === 'rc' || state.abbreviation === 'pn';
    return isGone ? [] : [finding('package-state', `${key} should be gone and is ${describe(state)}`)];
  }
  // `hi` is the same as `ii`, on hold
  const isThere =
    state &&
    /^[ih]i$/.test(state.abbreviation) &&
    (state.version === asInDatabase(change.to) || (orNewer && compareVersions(state.version, change.to) > 0));
  if (isThere) return [];
  const found = state ? describe(state) : 'not installed';
  return [finding('package-state', `${key} should be ${change.to} ii and is ${found}`)];
}

/** The database says the same of it before and after: that its program ended well is all that tells. */
export function installedAgain({ changes }: PackagesPlan): string[] {
  return changes.filter(({ action }) => action === 'reinstall').map(({ name }) => name);
}

function describe(state: PackageState): string {
  return `${state.version || 'without version'} ${state.abbreviation}`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}

function finding(check: string, evidence: string): Finding {
  return { check, severity: 'block', evidence, remedy: 'offline-update report' };
}
