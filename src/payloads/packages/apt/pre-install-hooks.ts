/**
 * The programs that apt tells what it is about to install (`DPkg::Pre-Install-Pkgs`), without debconf's own.
 *
 * dpkg-preconfigure looks into each package for questions that can be asked before anything is installed. In the update
 * boot nobody can answer, and what is asked there is asked again, to the same end, when the package is configured:
 * debconf(7) makes that sure, since preconfiguration is left out wherever apt-utils is. So it is not started, which
 * would take longer there than to install a small package. The hooks of all others are told, as ever.
 */
import type { RunCommand } from '../../../host/command.js';
import { aptEnvironment } from './apt-environment.js';

const LIST = 'DPkg::Pre-Install-Pkgs';
/** As `apt-config` encodes it, with %20 for a space. */
const preconfigure = /^(?:\S*\/)?dpkg-preconfigure(?:%20|$)/;

/**
 * Lines for `apt.conf` that name the others only. Empty when debconf's hook is not there, or when apt's configuration
 * cannot be read: then all are told.
 */
export async function preInstallHooks({ runCommand }: { runCommand: RunCommand }): Promise<string[]> {
  const { exitCode, stdout } = await runCommand(
    'apt-config',
    ['dump', '--no-empty', '--format', '%V%n', LIST],
    { env: aptEnvironment(), extendEnv: false },
  );
  const hooks = stdout.split('\n').filter((line) => line !== '');
  const others = hooks.filter((hook) => !preconfigure.test(hook));
  if (exitCode !== 0 || others.length === hooks.length) return [];
  // in braces: only there does apt decode what apt-config has encoded
  return [`#clear ${LIST};`, `${LIST} {`, ...others.map((hook) => `  "${hook}";`), '};'];
}
