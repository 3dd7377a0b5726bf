/**
 * The words of the one command that installs a plan: exactly its packages at exactly its versions. Everything else
 * stands in the stage's `apt.conf`. The preflight simulates the very same words.
 */
import { join } from 'node:path';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Policy } from '../../../update/policy.js';
import type { Stage } from '../../payload.js';

export function installArguments(plan: PackagesPlan, stage: Stage): string[] {
  return ['-c', join(stage.path, 'apt.conf'), '-q', '-y', 'install', ...plan.changes.map(packageWord)];
}

/**
 * By default apt configures each essential package before it goes on, by a dpkg of its own, "to limit the effect of a
 * failing dpkg call" [apt.conf(5), APT::Immediate-Configure]: 136 of them for the 100 smallest packages of Debian, and 14
 * without. Pre-Depends are kept either way, and an essential package works unconfigured, too [Debian policy 3.8].
 */
export const laterConfiguration = ['-o', 'APT::Immediate-Configure=false'];

/** `NAME:ARCHITECTURE=VERSION`, or `NAME:ARCHITECTURE-` for one that goes. */
export function packageWord({ name, architecture, to }: PackagesPlan['changes'][number]): string {
  return to === null ? `${name}:${architecture}-` : `${name}:${architecture}=${to}`;
}

/** What we read of apt is as apt prints it by default, whatever the machine's own apt.conf says of the looks of it. */
export const plainOutput = [
  'quiet=0',
  'APT::Get::Show-Versions=false',
  'APT::Output-Version=0',
  'APT::Color=false',
].flatMap((setting) => ['-o', setting]);

/**
 * What dpkg does with a configuration file that was changed by hand and by the package, without asking. Takes back
 * what dpkg.cfg may say to the contrary. Not confdef together with confnew: the default, to keep ours, would win.
 */
export function conffileOptions(policy: Policy): string[] {
  return policy.conffiles === 'replace'
    ? ['--refuse-confdef', '--refuse-confold', '--force-confnew']
    : ['--refuse-confnew', '--force-confdef', '--force-confold'];
}
