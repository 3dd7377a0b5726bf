/**
 * The change itself: one `apt-get install` of exactly the planned versions, out of the stage alone.
 *
 * The exit code is judged together with dpkg's database: apt exits 100 after a complete installation when its status
 * reader died, and a failed verification is a failure whatever the exit code was. Only of what is installed again at its
 * version the database can tell nothing, and the exit code counts.
 *
 * Errors: `INSTALL_FAILED` naming the package and dpkg's words; `INSTALL_STALLED` naming the last sign of life;
 * `BUSY` when somebody else holds dpkg's lock; then nothing was changed.
 */
import type { Finding } from '../../../update/finding.js';
import { UpdateError } from '../../../update/errors.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { InstallOptions, Progress, Stage } from '../../payload.js';
import type { VerifyPorts } from './apt-verify.js';
import { installedAgain, verifyPlan } from './apt-verify.js';
import { installArguments, laterConfiguration } from './apt-arguments.js';
import { markAutomatic } from './automatic-marks.js';
import type { LockPorts } from './dpkg-lock.js';
import { waitForDpkgLock } from './dpkg-lock.js';
import { installProgress } from './install-progress.js';
import type { PackageRun, RunPorts } from './package-run.js';
import { runPackageTool } from './package-run.js';
import { errorLines, tail } from './terminal-log.js';

export interface InstallPorts extends VerifyPorts, LockPorts, RunPorts {}

/** `onHung` is told the package that stalled, so that a repair can leave it out. */
export async function installPlan(
  ports: InstallPorts,
  plan: PackagesPlan,
  stage: Stage,
  on: Progress,
  options: InstallOptions & { asDecided: readonly string[] },
  onHung: (name: string) => void,
): Promise<void> {
  const progress = installProgress(plan.changes.map((change) => change.name));
  const args = [
    ...(options.revertible ? laterConfiguration : []),
    ...installArguments(plan, stage),
    ...options.asDecided,
  ];
  const run = await runPackageTool(ports, { file: 'apt-get', args }, progress, on, options);
  // an apt-get that was killed leaves its dpkg working: nothing is known before that has ended
  if (run.end.exitCode === undefined) await waitForDpkgLock(ports, options.policy.lockTimeoutSeconds);
  if (run.hung !== undefined) onHung(run.hung);
  if (run.end.stall) throw stalled(run);
  if (run.end.exitCode !== 0) {
    const findings = await verifyPlan(ports, plan, options);
    if (findings.length > 0 || installedAgain(plan).length > 0) throw failed(run, findings);
  }
  await markAutomatic(ports, plan, stage);
}

function stalled({ end, hung }: PackageRun): UpdateError {
  const seconds = Math.round(end.stall?.seconds ?? 0);
  return new UpdateError(
    'INSTALL_STALLED',
    `no progress and no CPU or disk use for ${seconds} s` +
      (hung === undefined ? '' : ` while working on ${hung}`) +
      `; the last sign of life: ${end.stall?.lastProgress ?? ''}`,
  );
}

function failed(run: PackageRun, findings: readonly Finding[]): UpdateError {
  const { end, errors, output } = run;
  const how = end.signal === undefined ? `exit code ${end.exitCode ?? 'unknown'}` : `killed by ${end.signal}`;
  const words = errors.map(({ item, text }) => `${nameOf(item)}: ${text}`);
  const reasons = words.length > 0 ? words : errorLines(output);
  const evidence = reasons.length > 0 ? reasons : findings.map((finding) => finding.evidence);
  return new UpdateError(
    'INSTALL_FAILED',
    `apt-get failed (${how}): ${evidence.join('; ')}\nThe last lines of the terminal log:\n${tail(output)}`,
  );
}

/** The package of a .deb's path. */
function nameOf(item: string): string {
  return item.startsWith('/') ? item.replace(/^.*\/([^/_]+)_[^/]*$/, '$1') : item;
}
