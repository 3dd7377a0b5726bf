/**
 * Keeps what apt knows of who wanted a package: an explicit `install NAME=VERSION` marks an automatically installed
 * package as wanted by hand, and `autoremove` would then never find it again. The plan remembers; this sets it right.
 *
 * Errors: `INSTALL_FAILED`.
 */
import { join } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import { UpdateError } from '../../../update/errors.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Stage } from '../../payload.js';
import { aptEnvironment } from './apt-environment.js';
import { packageKey } from './dpkg-database.js';

export async function markAutomatic(
  { runCommand }: { runCommand: RunCommand },
  plan: PackagesPlan,
  stage: Stage,
): Promise<void> {
  const names = plan.changes
    .filter((change) => change.automatic && change.to !== null)
    .map((change) => packageKey(change.name, change.architecture));
  if (names.length === 0) return;
  const result = await runCommand('apt-mark', ['-c', join(stage.path, 'apt.conf'), 'auto', ...names], {
    env: aptEnvironment(),
    extendEnv: false,
  });
  if (result.exitCode === 0) return;
  throw new UpdateError('INSTALL_FAILED', `apt-mark auto failed: ${result.stderr.trim()}`);
}
