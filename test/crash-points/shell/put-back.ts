/** What a copy has to be good for, whatever a power cut has left: the real script puts it back, and all is as it was. */
import { readFileSync, readlinkSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Test } from 'tap';
import { markText } from '../../../src/update/fallback-mark.js';
import { copy, makeOld, mark, programs, systemOf } from './copied-machine.js';
import { materialize, replay, type CrashState, type ReplayOptions } from './replay.js';
import { putPrograms, type Step } from './traced.js';

export const fallbacks = 'var/lib/offline-update/fallbacks';

export interface Machine {
  root: string;
  scratch: string;
  bin: string;
  old: Record<string, string>;
}

export function newMachine(t: Test): Machine {
  const folder = t.testdir({ root: {}, scratch: {}, bin: {} });
  const [root, scratch, bin] = [join(folder, 'root'), join(folder, 'scratch'), join(folder, 'bin')];
  putPrograms(bin, programs);
  makeOld(root);
  return { root, scratch, bin, old: systemOf(root) };
}

/** What is wrong with the state; undefined when the machine comes back as it was, with the mark that tells so. */
export function problemOf(machine: Machine, { graph }: CrashState): string | undefined {
  const root = stateFolder(machine, graph);
  const boot = bootProblem(root);
  if (boot !== undefined) return boot;
  if (isLink(join(root, fallbacks, 'armed'))) {
    const env = { PATH: `${machine.bin}:/usr/bin:/bin` };
    const { status, stderr } = spawnSync(join(root, copy, 'restore'), [root], { env, encoding: 'utf8' });
    if (status !== 0) return `it cannot be put back: ${stderr}`;
  } else if (!isLink(join(root, fallbacks, 'restored'))) {
    return 'nothing tells that there is a copy';
  }
  if (!isLink(join(root, fallbacks, 'restored'))) return 'it is not told that it was put back';
  const system = systemOf(root);
  const different = Object.keys({ ...machine.old, ...system }).filter(
    (path) => machine.old[path] !== system[path],
  );
  if (different.length > 0) return `not as before: ${different.join(' ')}`;
  return textOf(join(root, 'var/lib/offline-update/fallback.json')) === markText(mark)
    ? undefined
    : 'the mark is torn';
}

/** The boot loader reads /boot before any code of ours: its menu must be whole, and what it names be there. */
function bootProblem(root: string): string | undefined {
  const menu = textOf(join(root, 'boot/grub.cfg')) ?? 'gone';
  const version = /^linux vmlinuz-([12])\n$/.exec(menu)?.[1];
  if (version === undefined) return `the menu of the boot loader is torn: ${menu}`;
  const kernel = textOf(join(root, `boot/vmlinuz-${version}`));
  if (kernel === undefined) return `the boot loader names kernel ${version}, which is not there`;
  return kernel === `kernel ${version}\n` ? undefined : `kernel ${version} is torn`;
}

export function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

export function isLink(path: string): boolean {
  try {
    return readlinkSync(path) !== '';
  } catch {
    return false;
  }
}

/** The state as a folder, where the one before it was. */
export function stateFolder({ scratch }: Machine, graph: CrashState['graph']): string {
  const root = join(scratch, 'state');
  rmSync(root, { recursive: true, force: true });
  materialize(graph, root);
  return root;
}

/** Each kind of problem once, with the steps at which the power was cut. */
export function explore(
  machine: Machine,
  steps: readonly Step[],
  options: Pick<ReplayOptions, 'without' | 'how'>,
  judge: (machine: Machine, state: CrashState) => string | undefined,
): { count: number; problems: string[] } {
  const { states } = replay(steps, { root: machine.root, ...options });
  const problems = new Set<string>();
  for (const state of states) {
    const problem = judge(machine, state);
    if (problem !== undefined) problems.add(`${problem}, after a cut at: ${state.at}`);
    if (problem !== undefined && options.without !== undefined) break;
  }
  return { count: states.length, problems: [...problems] };
}
