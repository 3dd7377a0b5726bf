/**
 * What apt reads in the update boot: `apt.conf` and `sources.list` of the stage. With them apt knows of no package
 * but the planned ones, looks for no file but the sealed ones, and asks nobody.
 *
 * `apt.conf` is given by `apt-get -c`, which is read after `apt.conf.d`: what stands here wins.
 */
import { DPKG_PATH } from './apt-environment.js';
import { TRIGGER_TARGET, stageLayout } from '../../../update/paths.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Policy } from '../../../update/policy.js';
import { conffileOptions } from './apt-arguments.js';

/** Paths relative to the stage. */
export const stagedConfig = {
  configuration: 'apt.conf',
  /** Of `settingsAsDecided`; not there where nothing is known. */
  asDecided: 'as-decided.conf',
  sources: 'sources.list',
  index: `${stageLayout.lists}/${listName(`${TRIGGER_TARGET}/${stageLayout.packages}`)}_._Packages`,
} as const;

/** `copy:` and not `file:`, with which apt would use the files where they lie and never look into its archives. */
export function sourcesList(): string {
  return `deb [trusted=yes] copy:${TRIGGER_TARGET}/${stageLayout.packages} ./\n`;
}

export function aptConfiguration(plan: PackagesPlan, policy: Policy): string {
  const removes = plan.changes.some(({ action }) => action === 'remove');
  const downgrades = plan.changes.some(({ action }) => action === 'downgrade');
  const settings: [name: string, value: string][] = [
    ['Dir::Etc::SourceList', `${TRIGGER_TARGET}/${stagedConfig.sources}`],
    ['Dir::Etc::SourceParts', '/dev/null'],
    ['Dir::Etc::Preferences', '/dev/null'],
    ['Dir::Etc::PreferencesParts', '/dev/null'],
    ['Dir::State::Lists', `${TRIGGER_TARGET}/${stageLayout.lists}/`],
    ['Dir::Cache::Archives', `${TRIGGER_TARGET}/${stageLayout.packages}/`],
    // in memory: the machine's own cache stays as it is
    ['Dir::Cache::pkgcache', ''],
    ['Dir::Cache::srcpkgcache', ''],
    // all that is installed, compressed by xz for who reports a bug of apt's planner: the plan is known, and everybody waits
    ['Dir::Log::Planner', '/dev/null'],
    ['Acquire::Languages', 'none'],
    ['APT::Sandbox::User', 'root'], // nothing is fetched, and the stage is closed to all others
    ['APT::Get::Download', 'false'],
    ['APT::Get::Assume-Yes', 'true'],
    ['APT::Get::AutomaticRemove', 'false'],
    ['APT::Get::Purge', 'false'], // as offline-update(8) says
    ['APT::Get::Remove', String(removes)],
    ['APT::Get::allow-downgrades', String(downgrades)],
    ['APT::Get::allow-Change-Held-Packages', 'false'],
    // phasing was decided when the plan was made
    ['APT::Get::Always-Include-Phased-Updates', 'true'],
    ['APT::Install-Recommends', 'false'], // what is wanted is named, all of it
    ['APT::Install-Suggests', 'false'],
    ['APT::Keep-Downloaded-Packages', 'true'],
    ['APT::Clean-Installed', 'false'],
    ['APT::History::Comment', 'offline-update'],
    ['APT::Color', '0'],
    ['Dpkg::Use-Pty', '0'],
    ['Dpkg::Progress-Fancy', '0'],
    ['DPkg::Path', DPKG_PATH],
    ['DPkg::Inhibit-Shutdown', 'false'],
    ['DPkg::Lock::Timeout', String(policy.lockTimeoutSeconds)],
  ];
  return [
    '// Written by offline-update for one sealed update.',
    // names a release that these frozen lists do not have
    '#clear APT::Default-Release;',
    ...settings.map(([name, value]) => `${name} "${value}";`),
    ...conffileOptions(policy).map((option) => `Dpkg::Options:: "${option}";`),
    '',
  ].join('\n');
}

/** How apt names the files of a source in its lists (URItoFileName), for the plain characters of our own path. */
function listName(path: string): string {
  return path.replaceAll('/', '_');
}
