/**
 * The administrator's own checks, in byte order: `health.d/required.d` (and what lies in `health.d` itself) must succeed,
 * what fails in `health.d/wanted.d` is told in the report. Each has the time limit of the hooks, and all together the
 * deadline of the confirmation. Which files are run: hooks.ts.
 */
import { join, relative } from 'node:path';
import type { Plan } from '../../update/plan.js';
import type { KnownUpdate } from '../../update/store.js';
import { hookFiles, outputOf } from '../hooks.js';
import { lastLine } from '../keep-output.js';
import type { Ports } from '../ports.js';
import { failed, passed, warned, type CheckResult } from './check-result.js';
import type { Deadline } from './watch-boot.js';

export type Need = 'required' | 'wanted';

/** All of them, also when one fails: what is wrong with a machine is seldom one thing. */
export async function runExecutables(
  ports: Ports,
  update: KnownUpdate,
  plan: Plan,
  need: Need,
  deadline: Deadline,
): Promise<CheckResult[]> {
  const { fs, paths } = ports;
  const top = need === 'required' ? await hookFiles(fs, paths.healthChecks) : [];
  const files = [...top, ...(await hookFiles(fs, join(paths.healthChecks, `${need}.d`)))];
  const results: CheckResult[] = [];
  for (const path of files) {
    const left = deadline.atSeconds - ports.health.monotonicSeconds();
    results.push(await runOne(ports, update, path, need, Math.min(left, plan.policy.hookTimeoutSeconds)));
  }
  return results;
}

async function runOne(
  { run, paths }: Ports,
  update: KnownUpdate,
  path: string,
  need: Need,
  timeoutSeconds: number,
): Promise<CheckResult> {
  const check = relative(paths.healthChecks, path);
  const bad = need === 'required' ? failed : warned;
  if (timeoutSeconds <= 0) return bad(check, 'was not run: the deadline has passed');
  const env = { OFFLINE_UPDATE_ID: update.id, OFFLINE_UPDATE_PLAN: update.paths.plan };
  try {
    const result = await run(path, [], { timeoutSeconds, withDescendants: true, env });
    if (result.exitCode === 0) return { ...passed(check), output: outputOf(result) };
    const end =
      result.exitCode === undefined
        ? `was ended by ${result.signal ?? 'a signal'}`
        : `ended with ${result.exitCode}`;
    const output = outputOf(result);
    return bad(check, `${end}${lastLine(output)}`, output);
  } catch (error) {
    return bad(
      check,
      `could not be run to its end: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
