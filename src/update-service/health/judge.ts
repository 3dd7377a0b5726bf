/**
 * Is the machine well after the update? The boot and its units, the network and the package database, then the
 * administrator's own checks; each result is a row of the journal (docs/health.md).
 *
 * Errors: `BUSY` when another package run does not come to its end, so that the package database cannot be judged.
 */
import { asUpdateError } from '../../update/errors.js';
import { readBaseline, type Baseline } from '../../update/baseline.js';
import { packagesAreWhole } from '../../update/finding.js';
import type { Plan } from '../../update/plan.js';
import type { KnownUpdate } from '../../update/store.js';
import { keepOutput } from '../keep-output.js';
import { lookAtPackages } from '../look-at-packages.js';
import type { Ports } from '../ports.js';
import { failed, passed, warned, type CheckResult } from './check-result.js';
import { runExecutables, type Need } from './executables.js';
import { isJudged, watchBoot, type Deadline } from './watch-boot.js';

export interface Judgement {
  failures: CheckResult[];
  warnings: CheckResult[];
  packagesAreWhole: boolean;
}

/** Undefined when this boot turned out to be none to be judged: it is being left, or is in rescue mode. */
export async function judge(ports: Ports, update: KnownUpdate, plan: Plan): Promise<Judgement | undefined> {
  const results: CheckResult[] = [];
  const tell = async (...found: CheckResult[]): Promise<void> => {
    for (const { check, outcome, message, output, advice = '' } of found) {
      await keepOutput(ports, update, `the check ${check}, which ${outcome}`, output);
      await update.journal.append({ note: 'health', check, outcome, message, output: advice });
    }
    results.push(...found);
  };
  const isWell = (): boolean => results.every(({ outcome }) => outcome !== 'failed');
  const afterSeconds = plan.policy.confirmDeadlineSeconds;
  const deadlineIn = (seconds: number): Deadline => ({
    afterSeconds: seconds,
    atSeconds: ports.health.monotonicSeconds() + seconds,
  });
  const deadline = deadlineIn(afterSeconds);

  const { baseline, problem } = await baselineOf(ports, update);
  if (problem !== undefined) await tell(warned('baseline', problem));
  const watched = await watchBoot(ports.health, baseline, deadline, plan.policy.confirmNetwork);
  if (!watched) return undefined;
  await tell(...watched);

  // A package run that is still at work is waited for, so nothing is left in the midst of one below.
  const findings = await lookAtPackages(ports, update, 'ordinary', plan);
  const blocks = findings.filter(({ severity }) => severity === 'block');
  const evidence = blocks.map((each) => each.evidence).join('; ');
  await tell(blocks.length === 0 ? passed('packages') : failed('packages', evidence));

  // A network that only warns was waited for until the deadline: the administrator's checks get one of their own.
  const isSpent = watched.some(({ check, outcome }) => check === 'network' && outcome === 'warned');
  const last = isSpent ? deadlineIn(afterSeconds) : deadline;
  for (const need of ['required', 'wanted'] satisfies Need[]) {
    // On a machine that is not well they would hang rather than tell.
    if (isWell()) await tell(...(await runExecutables(ports, update, plan, need, last)));
  }
  if (!(await isJudged(ports.health))) return undefined;
  return {
    failures: results.filter(({ outcome }) => outcome === 'failed'),
    warnings: results.filter(({ outcome }) => outcome === 'warned'),
    packagesAreWhole: packagesAreWhole(findings),
  };
}

async function baselineOf(
  { fs }: Ports,
  update: KnownUpdate,
): Promise<{ baseline?: Baseline; problem?: string }> {
  const without = 'units and network cannot be compared with what they were before the update';
  try {
    const baseline = await readBaseline(fs, update.paths.baseline);
    return baseline ? { baseline } : { problem: `${without}: nothing was noted then` };
  } catch (error) {
    return { problem: `${without}: ${asUpdateError(error).message}` };
  }
}
