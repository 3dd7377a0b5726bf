/**
 * What is known of the machine as long as nothing has changed by which apt has decided, written down in the stage so that apt
 * need not ask in the update boot:
 *
 * - The programs that apt tells what it is about to install (`DPkg::Pre-Install-Pkgs`), without debconf's own.
 *   dpkg-preconfigure looks into each package for questions that can be asked before anything is installed. In the update
 *   boot nobody can answer, and it takes longer there than to install a small package. What is asked then is asked again
 *   when the package is configured, as a package must: it may never have been preconfigured [debconf-devel(7)]. The hooks
 *   of all others are told, as ever.
 * - The architectures, for which apt would start dpkg three times (apt 3.0.3).
 */
import { join } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import { exists } from '../../../host/exists.js';
import type { FileSystem } from '../../../host/file-system.js';
import { HostError } from '../../../host/host-error.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Stage } from '../../payload.js';
import { stagedConfig } from './apt-config.js';
import { aptEnvironment } from './apt-environment.js';
import { decisionInputs } from './decision-inputs.js';

const LIST = 'DPkg::Pre-Install-Pkgs';
/** What apt runs, as `apt-config` encodes it; what lies deeper in the tree, or on the list itself, it does not run. */
const hookLine = /^DPkg::Pre-Install-Pkgs::[^:]* (\S+)$/i;
const architectureLine = /^APT::Architectures::[^:]* (\S+)$/i;
/** debconf's whole command: a longer one is somebody else's. */
const ofDebconf = /^(?:\/usr\/sbin\/)?dpkg-preconfigure(?:%20--apt)?(?:%20\|\|%20true)?$/;

/** The text of the configuration. Undefined where apt's own cannot be read. */
export async function settingsAsDecided(ports: { runCommand: RunCommand }): Promise<string | undefined> {
  const lines = await configuredLines(ports);
  const hooks = lines.flatMap((line) => hookLine.exec(line)?.[1] ?? []);
  const others = hooks.filter((hook) => !ofDebconf.test(hook));
  const architectures = lines.flatMap((line) => architectureLine.exec(line)?.[1] ?? []);
  if (architectures.length === 0) return undefined;
  return [
    ...setting('APT::Architectures', architectures),
    ...(others.length === hooks.length ? [] : setting(LIST, others)),
    '',
  ].join('\n');
}

/** In braces: only there does apt decode what apt-config has encoded. */
function setting(list: string, values: readonly string[]): string[] {
  return [`#clear ${list};`, `${list} {`, ...values.map((value) => `  "${value}";`), '};'];
}

async function configuredLines({ runCommand }: { runCommand: RunCommand }): Promise<string[]> {
  try {
    const words = ['dump', '--no-empty', '--format', '%f %V%n'];
    const { exitCode, stdout } = await runCommand('apt-config', words, {
      env: aptEnvironment(),
      extendEnv: false,
    });
    return exitCode === 0 ? stdout.split('\n') : [];
  } catch (error) {
    if (error instanceof HostError) return [];
    throw error;
  }
}

/**
 * Words for apt-get. None as soon as anything is not as apt has decided by: a hook may have come since, or gone with its
 * program, and the machine's own list counts.
 */
export async function argumentsAsDecided(
  { files, root }: { files: FileSystem; root: string },
  { decidedBy }: PackagesPlan,
  stage: Stage,
): Promise<string[]> {
  const path = join(stage.path, stagedConfig.asDecided);
  if (decidedBy === undefined || !(await exists(files, path))) return [];
  return decidedBy === (await decisionInputs(files, root)) ? ['-c', path] : [];
}
