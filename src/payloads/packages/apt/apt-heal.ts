/**
 * Rolls an interrupted change forward from the files of the stage, where there is no fallback (invariant 5).
 *
 * `dpkg --configure -a` alone left 55 of 100 power-cut states broken, often with exit code 0; `apt-get -f install`
 * wants the *old* version. `dpkg -i` of all the transaction's .debs mended 100 of 100, so that comes
 * first, and everything else only where it fails. Each step is judged by the database, never by its exit code; only of what
 * is installed again at its version the database can tell nothing, and one run that installs it must end well.
 *
 * A package that hung is left out from then on, so that all others get configured.
 *
 * Errors: `BUSY`; `INSTALL_FAILED` with what is still wrong after the last round; `INSTALL_STALLED` when a package hung.
 */
import { join } from 'node:path';
import type { Policy } from '../../../update/policy.js';
import { UpdateError } from '../../../update/errors.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { InstallOptions, Progress, Stage } from '../../payload.js';
import { conffileOptions, installArguments } from './apt-arguments.js';
import type { InstallPorts } from './apt-install.js';
import { installedAgain, verifyPlan } from './apt-verify.js';
import { markAutomatic } from './automatic-marks.js';
import { packageKey } from './dpkg-database.js';
import { waitForDpkgLock } from './dpkg-lock.js';
import { installProgress } from './install-progress.js';
import type { Tool } from './package-run.js';
import { runPackageTool } from './package-run.js';

const rounds = 3;

export async function healPlan(
  ports: InstallPorts,
  plan: PackagesPlan,
  stage: Stage,
  on: Progress,
  options: InstallOptions,
  hung: Set<string>,
): Promise<void> {
  const progress = installProgress(plan.changes.map((change) => change.name));
  const again = installedAgain(plan);
  let isAgainDone = again.length === 0;
  let wrong = await afterLock();
  for (let round = 1; round <= rounds && wrong !== ''; round += 1) {
    const before = wrong;
    for (const step of ['remove', 'install', 'configure', 'install', 'apt'] as const) {
      const tool = healTool(step, plan, stage, options.policy, hung);
      if (!tool) continue;
      const run = await runPackageTool(ports, tool, progress, on, options);
      if (run.hung !== undefined) hung.add(run.hung);
      if (isInstalling(step) && run.end.exitCode === 0) isAgainDone = !again.some((name) => hung.has(name));
      wrong = await afterLock();
      if (wrong === '') break;
    }
    // the same again would end the same
    if (wrong === before) break;
  }
  if (wrong !== '') throw unhealed(wrong, hung);
  await markAutomatic(ports, plan, stage);

  /** What is wrong, in one text; nobody is judged while something still works on the database. */
  async function afterLock(): Promise<string> {
    await waitForDpkgLock(ports, options.policy.lockTimeoutSeconds);
    const findings = await verifyPlan(ports, plan);
    const evidence = findings.map((finding) => finding.evidence);
    if (!isAgainDone) evidence.push(`not known to be installed again: ${again.join(', ')}`);
    return evidence.join('; ');
  }
}

function isInstalling(step: HealStep): boolean {
  return step === 'install' || step === 'apt';
}

export type HealStep = 'remove' | 'install' | 'configure' | 'apt';

/** Undefined when the step has nothing to do. Pure. */
export function healTool(
  step: HealStep,
  plan: PackagesPlan,
  stage: Stage,
  policy: Policy,
  hung: ReadonlySet<string>,
): Tool | undefined {
  const left = plan.changes.filter((change) => !hung.has(change.name));
  const conffiles = conffileOptions(policy);
  switch (step) {
    case 'remove': {
      const keys = left
        .filter((change) => change.to === null)
        .map((change) => packageKey(change.name, change.architecture));
      if (keys.length === 0) return undefined;
      // as apt does it; its own order took care of the dependencies, and the new packages follow at once
      return dpkg(['--force-depends', '--force-remove-reinstreq', '--remove', ...keys]);
    }
    case 'install': {
      const files = left.flatMap((change) => (change.file === null ? [] : [join(stage.path, change.file)]));
      if (files.length === 0) return undefined;
      return dpkg([...conffiles, '--auto-deconfigure', '--install', ...files]);
    }
    case 'configure':
      // would run the script that hung once more; the next `install` configures all others
      return hung.size === 0 ? dpkg([...conffiles, '--configure', '--pending']) : undefined;
    case 'apt':
      return hung.size === 0 ? { file: 'apt-get', args: installArguments(plan, stage) } : undefined;
  }
}

function dpkg(args: readonly string[]): Tool {
  return { file: 'dpkg', args };
}

function unhealed(wrong: string, hung: ReadonlySet<string>): UpdateError {
  const hint = 'dpkg --audit';
  if (hung.size === 0) return new UpdateError('INSTALL_FAILED', `could not be repaired: ${wrong}`, { hint });
  return new UpdateError('INSTALL_STALLED', `left out, because it hung: ${[...hung].join(', ')}; ${wrong}`, {
    hint,
  });
}
