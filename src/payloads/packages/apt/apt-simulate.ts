/**
 * What would apt do? `apt-get -s` prints one line for each step:
 *
 *     Inst bb [1:1] (1:2 Debian:13.1/stable [amd64])     also `Inst libc6:i386 ...`; without [1:1] when it is new
 *     Conf bb (1:2 Debian:13.1/stable [amd64])
 *     Remv old [1.0]                                     `Purg` with --purge; no architecture for the native one
 *
 * No lock is taken and nothing is written. With `-y` apt refuses here what it would refuse then: the removal of an
 * essential package, an unasked downgrade, a change of a held package.
 *
 * Errors: `PLAN_FAILED` with apt's own words.
 */
import { join } from 'node:path';
import type { RunCommand } from '../../../host/command.js';
import { UpdateError } from '../../../update/errors.js';
import { stageLayout } from '../../../update/paths.js';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Stage } from '../../payload.js';
import { installArguments, plainOutput } from './apt-arguments.js';
import { stagedConfig } from './apt-config.js';
import { aptEnvironment } from './apt-environment.js';
import { aptError } from './apt-error.js';

export interface SimulatedChange {
  name: string;
  /** Undefined for the removal of a package of the machine's own architecture: apt does not say `all` or which. */
  architecture: string | undefined;
  /** Null when it is new. */
  from: string | null;
  /** Null when it goes. */
  to: string | null;
}

export interface SimulatePorts {
  runCommand: RunCommand;
}

async function simulate({ runCommand }: SimulatePorts, args: readonly string[]): Promise<SimulatedChange[]> {
  const { exitCode, stdout, stderr } = await runCommand('apt-get', ['-s', '-y', ...args, ...plainOutput], {
    env: aptEnvironment(),
    extendEnv: false,
  });
  if (exitCode !== 0) throw aptError('PLAN_FAILED', 'apt-get finds no way', `${stdout}\n${stderr}`);
  return parseSimulation(stdout);
}

/** The very command of the update boot, against the frozen lists wherever the stage lies now. */
export function simulatePlan(
  ports: SimulatePorts,
  plan: PackagesPlan,
  stage: Stage,
): Promise<SimulatedChange[]> {
  return simulate(ports, [...installArguments(plan, stage), ...stageOptions(stage)]);
}

/** Empty when apt would do exactly the plan; what apt refuses is a difference, too. */
export async function planDifferences(
  ports: SimulatePorts,
  plan: PackagesPlan,
  stage: Stage,
): Promise<string[]> {
  try {
    return differences(plan, await simulatePlan(ports, plan, stage));
  } catch (error) {
    if (error instanceof UpdateError && error.code === 'PLAN_FAILED') return [error.message];
    throw error;
  }
}

/** `apt.conf` names the place that the stage has in the update boot; while it is built it lies beside it. */
export function stageOptions({ path }: Stage): string[] {
  return [
    ['Dir::State::Lists', `${join(path, stageLayout.lists)}/`],
    ['Dir::Cache::Archives', `${join(path, stageLayout.packages)}/`],
    ['Dir::Etc::SourceList', join(path, stagedConfig.sources)],
  ].flatMap(([name = '', value = '']) => ['-o', `${name}=${value}`]);
}

const instLine = /^Inst ([^\s:]+)(?::\S+)? (?:\[(\S+)\] )?\((\S+) .*?\[([^\s\]]+)\]\)/;
const removeLine = /^(?:Remv|Purg) ([^\s:]+)(?::(\S+))? \[(\S+)\]/;

export function parseSimulation(output: string): SimulatedChange[] {
  return output.split('\n').flatMap((line): SimulatedChange[] => {
    const [, name, from, to, architecture] = instLine.exec(line) ?? [];
    if (name !== undefined && to !== undefined) return [{ name, architecture, from: from ?? null, to }];
    const [, removed, foreign, version] = removeLine.exec(line) ?? [];
    if (removed === undefined || version === undefined) return [];
    return [{ name: removed, architecture: foreign, from: version, to: null }];
  });
}

/** One sentence each; empty when both say the same. */
export function differences(plan: PackagesPlan, simulated: readonly SimulatedChange[]): string[] {
  const left = new Set(simulated);
  const alike = new Map<string, SimulatedChange[]>();
  for (const one of simulated) alike.set(stepOf(one), [...(alike.get(stepOf(one)) ?? []), one]);
  const missing = plan.changes.flatMap((change) => {
    const same = alike
      .get(stepOf(change))
      ?.find((one) => left.has(one) && (one.architecture ?? change.architecture) === change.architecture);
    if (same) left.delete(same);
    return same ? [] : [`planned, but apt would not: ${described(change)}`];
  });
  return [...missing, ...[...left].map((one) => `not planned, but apt would: ${described(one)}`)];
}

/** All that apt always tells of a step; none of the words holds a space. */
function stepOf({ name, from, to }: Pick<SimulatedChange, 'name' | 'from' | 'to'>): string {
  return `${name} ${from ?? ''} ${to ?? ''}`;
}

const shownDifferences = 5;

/** In one line; a machine with hundreds of updates has hundreds of them. */
export function inShort(differing: readonly string[]): string {
  const more = differing.length - shownDifferences;
  return differing.slice(0, shownDifferences).join('; ') + (more > 0 ? `; and ${more} more` : '');
}

export function described({ name, architecture, from, to }: SimulatedChange): string {
  const key = architecture === undefined ? name : `${name}:${architecture}`;
  if (to === null) return `remove ${key} ${from ?? ''}`.trimEnd();
  return from === null ? `install ${key} ${to}` : `${key} ${from} to ${to}`;
}
