/**
 * From apt's own summary (print-uris.ts) and dpkg's list to the change set of a plan. Pure.
 *
 * Errors: `PLAN_FAILED` when apt names no file for a package that it wants to install, or wants to remove one that
 * dpkg does not have (something changed while we asked).
 */
import { join } from 'node:path';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackageChange } from '../../../update/plan.js';
import { archiveFileName, parseArchiveFileName } from './archive-file.js';
import type { IsAutomatic } from './automatic-packages.js';
import { compareVersions } from './debian-version.js';
import { packageKey, type PackageState } from './dpkg-database.js';
import type { Download, Downloads } from './print-uris.js';

/** `from` is null for a new package, `to` for one that goes. */
export type WantedChange = Pick<PackageChange, 'name' | 'architecture' | 'from' | 'to'>;

/** Every package dpkg knows of, by `packageKey`. */
type States = ReadonlyMap<string, PackageState>;

export interface ChangeFacts {
  isAutomatic: IsAutomatic;
  /** Names that the request itself asked for: they are nobody's dependency. */
  requested: ReadonlySet<string>;
  /** By the name in apt's archives folder. */
  byFile: ReadonlyMap<string, Download>;
}

/** The steps that apt's summary means: what is installed now is dpkg's to say. */
export function wantedChanges(
  { byFile, removed }: Pick<Downloads, 'byFile' | 'removed'>,
  states: States,
): WantedChange[] {
  const brought = [...byFile.keys()].map((file) => {
    const identity = parseArchiveFileName(file);
    if (!identity) throw new UpdateError('PLAN_FAILED', `apt names a file that is no package: ${file}`);
    const { name, architecture, version } = identity;
    return {
      name,
      architecture,
      from: installedAs(name, architecture, states)?.version ?? null,
      to: version,
    };
  });
  const gone = removed.map((word) => {
    const { name, architecture, version } = removedState(word, states);
    return { name, architecture, from: version, to: null };
  });
  return [...brought, ...gone];
}

/** A package may go from a machine's architecture to `all` or back: still the same package to apt. */
export function installedAs(name: string, architecture: string, states: States): PackageState | undefined {
  const same = states.get(packageKey(name, architecture));
  if (isInstalled(same)) return same;
  const others = architecture === 'all' ? statesNamed(name, states) : [states.get(packageKey(name, 'all'))];
  return others.find(isInstalled);
}

/** Made once for each listing of dpkg's: with thousands of new packages, to go through it for each is what takes long. */
const byName = new WeakMap<States, ReadonlyMap<string, readonly PackageState[]>>();

/** On every architecture. */
function statesNamed(name: string, states: States): readonly PackageState[] {
  const index = byName.get(states) ?? grouped(states);
  byName.set(states, index);
  return index.get(name) ?? [];
}

function grouped(states: States): Map<string, PackageState[]> {
  const groups = new Map<string, PackageState[]>();
  for (const state of states.values()) {
    const group = groups.get(state.name);
    if (group) group.push(state);
    else groups.set(state.name, [state]);
  }
  return groups;
}

/** In the order of the names, not in apt's, which is another each time: the same update gives the same plan. */
export function plannedChanges(wanted: readonly WantedChange[], facts: ChangeFacts): PackageChange[] {
  return wanted.map((change) => plannedChange(change, facts)).sort(byKey);
}

function plannedChange(change: WantedChange, facts: ChangeFacts): PackageChange {
  const { name, architecture, from, to } = change;
  const action = actionOf(change);
  const automatic = from === null ? !facts.requested.has(name) : facts.isAutomatic(name, architecture);
  if (to === null) {
    return { name, architecture, action, from, to, automatic, file: null, sizeBytes: 0, sha256: null };
  }
  const file = archiveFileName({ name, architecture, version: to });
  const download = facts.byFile.get(file);
  if (!download) throw new UpdateError('PLAN_FAILED', `apt names no file for ${name}:${architecture} ${to}`);
  const { sizeBytes, sha256 } = download;
  const path = join(stageLayout.packages, file);
  return { name, architecture, action, from, to, automatic, file: path, sizeBytes, sha256 };
}

function actionOf({ from, to }: WantedChange): PackageChange['action'] {
  if (to === null) return 'remove';
  if (from === null) return 'install';
  const order = compareVersions(from, to);
  if (order === 0) return 'reinstall';
  return order < 0 ? 'upgrade' : 'downgrade';
}

/** apt leaves out `all` and the machine's own architecture, which is that of its dpkg. */
function removedState(word: string, states: States): PackageState {
  const [name = '', foreign] = word.split(':');
  const own = statesNamed('dpkg', states).find(isInstalled);
  const architectures = foreign === undefined ? ['all', own?.architecture ?? ''] : [foreign];
  const found = architectures
    .map((architecture) => states.get(packageKey(name, architecture)))
    .find(isInstalled);
  if (found) return found;
  throw new UpdateError('PLAN_FAILED', `apt wants to remove ${word}, which dpkg does not have`);
}

function isInstalled(state: PackageState | undefined): state is PackageState {
  return state !== undefined && /^.i/.test(state.abbreviation);
}

function byKey(a: PackageChange, b: PackageChange): number {
  const [left, right] = [packageKey(a.name, a.architecture), packageKey(b.name, b.architecture)];
  return left < right ? -1 : Number(left > right);
}
