/**
 * Cuts the power at every instant of a story, lets the machine boot from each state that this may leave, to its end, and
 * judges it; then cuts it again in those boots, so deep as is asked for.
 */
import { createHash } from 'node:crypto';
import { randomNumbers } from '../../fixtures/random-numbers.js';
import { crashStates, type Thoroughness } from './crash-states.js';
import { SUPERBLOCK, type Graph } from './disk.js';
import type { Mutant } from './effects.js';
import { freshDisk } from './fresh-disk.js';
import { judge, type Judgement } from './judge.js';
import { Machine, type Told } from './machine.js';
import { HOOK, type Layout } from './machine-ports.js';
import { walk } from './paths-on-disk.js';
import type { Fault } from './stand-in-payload.js';

export interface Story {
  name: string;
  layout: Layout;
  fault: Fault;
  attempts?: number;
  /** What has happened before, without a cut: the machine is up again after it. */
  before?: (machine: Machine) => Promise<void>;
  /** What the person does before the machine is shut down; the boots follow by themselves. */
  online: (machine: Machine) => Promise<void>;
}

export interface Breadth {
  /** How often the power is cut, one after the other. */
  cuts: number;
  /** About so many states of the second and each later cut, chosen at random; all of the first are taken. */
  statesOfLaterCuts: number;
  seed: number;
  how: Omit<Thoroughness, 'random'>;
}

export interface Failure {
  /** After which step the power went, for each cut. */
  cuts: readonly string[];
  problems: readonly string[];
}

export interface Explored {
  states: number;
  /** How often each end was reached, such as `new, confirmed`. */
  ends: Map<string, number>;
  failures: Failure[];
  /** Of the story without a cut, in order. */
  steps: readonly string[];
  /** Of the story and of every boot after a cut, each once. */
  syncs: Set<string>;
}

interface Crash {
  graph: Graph;
  boots: number;
  told: Told;
  cuts: readonly string[];
}

/** A boot that led nowhere is a loop: attempts, the way back, and one more. */
const MOST_BOOTS = 8;

export async function explore(
  story: Story,
  breadth: Breadth,
  options: { mutant?: Mutant; stopAtFailure?: boolean; everywhere?: boolean } = {},
): Promise<Explored> {
  const random = randomNumbers(breadth.seed);
  const seen = new Set<string>();
  const explored: Explored = { states: 0, ends: new Map(), failures: [], steps: [], syncs: new Set() };
  const machineOf = ({ graph, boots, told, cuts }: Crash, found: Crash[]): Machine =>
    new Machine(graph, {
      layout: story.layout,
      fault: story.fault,
      attempts: story.attempts,
      mutant: options.mutant,
      boots,
      told,
      onChange(machine) {
        if (cuts.length === 0) changes += 1;
        // Until then it is the story of the product, which is judged elsewhere.
        if (options.mutant && cuts.length === 0 && !machine.effects.hasMutated && !options.everywhere) return;
        if (cuts.length >= breadth.cuts || (cuts.length > 0 && random() > share)) return;
        const states = crashStates(machine.disk, { ...breadth.how, random });
        const some = share < 1 && cuts.length > 0 ? [states[Math.floor(random() * states.length)]] : states;
        for (const state of some) {
          if (state === undefined) continue;
          const key = `${machine.told} ${keyOf(state, machine.boots)}`;
          if (seen.has(key)) continue;
          seen.add(key);
          found.push({
            graph: state,
            boots: machine.boots,
            told: machine.told,
            cuts: [...cuts, machine.effects.current],
          });
        }
      },
    });

  let changes = 0;
  let share = 1;
  let crashes: Crash[] = [];
  const whole = machineOf({ ...(await beginOf(story)), told: 'nothing', cuts: [] }, crashes);
  await story.online(whole).catch((error: unknown) => whole.problems.push(`not armed: ${String(error)}`));
  whole.shutDown();
  await note(explored, whole, []);
  explored.steps = whole.effects.steps;

  for (let cut = 1; cut <= breadth.cuts; cut += 1) {
    const next: Crash[] = [];
    share = breadth.statesOfLaterCuts / (crashes.length * changes);
    for (const crash of crashes) {
      if (options.stopAtFailure && explored.failures.length > 0) return explored;
      await noteCrash(explored, () => machineOf(crash, next), crash.cuts);
    }
    crashes = next;
  }
  return explored;
}

/** The disk when the first cut may come. */
async function beginOf({ layout, fault, attempts, before }: Story): Promise<Pick<Crash, 'graph' | 'boots'>> {
  const graph = await freshDisk(layout, HOOK, attempts);
  if (!before) return { graph, boots: 0 };
  const options = { layout, fault, mutant: undefined, told: 'nothing', onChange: () => undefined } as const;
  const machine = new Machine(graph, { ...options, boots: 0 });
  await before(machine);
  machine.shutDown();
  return { graph: machine.disk.durable, boots: machine.boots };
}

async function noteCrash(explored: Explored, boot: () => Machine, cuts: readonly string[]): Promise<void> {
  let machine: Machine;
  try {
    machine = boot();
  } catch (error) {
    // No root, or none that a boot loader finds.
    explored.states += 1;
    explored.failures.push({ cuts, problems: [`it does not boot: ${String(error)}`] });
    return;
  }
  await note(explored, machine, cuts);
}

/** Boots until nothing is left to do, and writes down what came of it. */
async function note(explored: Explored, machine: Machine, cuts: readonly string[]): Promise<void> {
  explored.states += 1;
  const { problems, judgement } = await settle(machine);
  for (const sync of machine.effects.syncs) explored.syncs.add(sync);
  const end = judgement === undefined ? 'no end' : `${judgement.system}, ${judgement.state}`;
  explored.ends.set(end, (explored.ends.get(end) ?? 0) + 1);
  if (problems.length > 0) explored.failures.push({ cuts, problems });
}

/** Boots until nothing is left to do, once more, and judges. */
export async function settle(
  machine: Machine,
): Promise<{ problems: readonly string[]; judgement: Judgement | undefined }> {
  try {
    for (let boots = 1; (await machine.boot()) !== 'normal'; boots += 1) {
      if (boots === MOST_BOOTS) return { problems: ['it boots and boots'], judgement: undefined };
    }
    const judgement = judge(machine.disk.graph, machine.root, machine.layout, machine.told);
    machine.shutDown();
    const before = keyOf(machine.disk.graph, 0);
    if ((await machine.boot()) !== 'normal') machine.problems.push('the boot after is an update boot');
    if (keyOf(machine.disk.graph, 0) !== before) machine.problems.push('the boot after changes something');
    return { problems: [...machine.problems, ...judgement.problems], judgement };
  } catch (error) {
    return { problems: [...machine.problems, `it does not boot: ${String(error)}`], judgement: undefined };
  }
}

/** The same for two disks that no boot can tell apart: without durations, and the names of temporary files. */
export function keyOf(graph: Graph, boots: number): string {
  const hash = createHash('sha1').update(`${boots} ${graph.get(SUPERBLOCK)?.names.get('default') ?? ''}`);
  for (const [path, { kind, mode, text }] of walk(graph, 5)) {
    hash.update(`${path.replace(/\.\d+-\d+\.new$/, '.new')} ${kind} ${mode} `);
    hash.update(text.replace(/"seconds":\s*[0-9.e+-]+|"check":"[0-9a-f]{16}"|in [0-9.]+ s"/g, ''));
  }
  return hash.digest('base64');
}
