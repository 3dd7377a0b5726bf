/**
 * From what apt would do to the change set of a plan. Pure.
 *
 * Errors: `PLAN_FAILED` when apt names no file for a package that it wants to install (its lists were changed while we
 * read them).
 */
import { join } from 'node:path';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackageChange } from '../../../update/plan.js';
import { archiveFileName } from './archive-file.js';
import type { SimulatedChange } from './apt-simulate.js';
import type { IsAutomatic } from './automatic-packages.js';
import { compareVersions } from './debian-version.js';
import type { PackageState } from './dpkg-database.js';
import type { Download } from './print-uris.js';

export interface ChangeFacts {
  /** Every package dpkg knows of. */
  states: ReadonlyMap<string, PackageState>;
  isAutomatic: IsAutomatic;
  /** Names that the request itself asked for: they are nobody's dependency. */
  requested: ReadonlySet<string>;
  /** By the name in apt's archives folder. */
  downloads: ReadonlyMap<string, Download>;
}

export function plannedChanges(simulated: readonly SimulatedChange[], facts: ChangeFacts): PackageChange[] {
  return simulated.map((change) => plannedChange(change, facts)).sort(byKey);
}

/** Not in apt's order of steps, which is its own affair each time: the same update gives the same plan. */
function byKey(a: PackageChange, b: PackageChange): number {
  const [left, right] = [`${a.name}:${a.architecture}`, `${b.name}:${b.architecture}`];
  return left < right ? -1 : Number(left > right);
}

function plannedChange(change: SimulatedChange, facts: ChangeFacts): PackageChange {
  const { name, from, to } = change;
  const architecture = change.architecture ?? removedArchitecture(change, facts.states);
  const action = actionOf(change);
  const automatic = from === null ? !facts.requested.has(name) : facts.isAutomatic(name, architecture);
  if (to === null) {
    return { name, architecture, action, from, to, automatic, file: null, sizeBytes: 0, sha256: null };
  }
  const file = archiveFileName({ name, architecture, version: to });
  const download = facts.downloads.get(file);
  if (!download) {
    throw new UpdateError('PLAN_FAILED', `apt names no file for ${name}:${architecture} ${to}`, {
      hint: 'offline-update prepare --refresh',
    });
  }
  const { sizeBytes, sha256 } = download;
  const path = join(stageLayout.packages, file);
  return { name, architecture, action, from, to, automatic, file: path, sizeBytes, sha256 };
}

function actionOf({ from, to }: SimulatedChange): PackageChange['action'] {
  if (to === null) return 'remove';
  if (from === null) return 'install';
  const order = compareVersions(from, to);
  if (order === 0) return 'reinstall';
  return order < 0 ? 'upgrade' : 'downgrade';
}

/** apt leaves out the machine's own architecture and `all`; the version and dpkg's list tell which. */
function removedArchitecture(
  { name, from }: SimulatedChange,
  states: ReadonlyMap<string, PackageState>,
): string {
  const installed = [...states.values()].filter((state) => state.name === name && state.version === from);
  const architecture = installed[0]?.architecture;
  if (architecture !== undefined) return architecture;
  throw new UpdateError('PLAN_FAILED', `apt wants to remove ${name} ${from ?? ''}, which dpkg does not know`);
}
