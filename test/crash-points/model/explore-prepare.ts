/**
 * Cuts the power at every instant of a `prepare` that replaces a plan which is there already. Nothing is armed, so no boot
 * has to be followed: what counts is which plan the next verb finds, that its stage is whole, and that a new run is good.
 */
import { join } from 'node:path';
import { HostError } from '../../../src/host/host-error.js';
import { mendStage } from '../../../src/prepare/mend-stage.js';
import type { Online } from '../../../src/prepare/online.js';
import { prepareUpdate, type PlanSource } from '../../../src/prepare/prepare-update.js';
import { sha256OfText } from '../../../src/host/hash.js';
import { defaultPolicy } from '../../../src/update/policy.js';
import { verifyStage } from '../../../src/update/stage.js';
import { randomNumbers } from '../../fixtures/random-numbers.js';
import { crashStates, type Thoroughness } from './crash-states.js';
import { Disk, RUN, SUPERBLOCK, type Graph } from './disk.js';
import { newEffects, type Effects, type Mutant } from './effects.js';
import { freshDisk, updateId } from './fresh-disk.js';
import { HOOK, machinePorts } from './machine-ports.js';
import { walk } from './paths-on-disk.js';
import { plainFacts } from './plain-facts.js';
import { contentOf, packageNames, plannedChanges, standInPayload } from './stand-in-payload.js';

/** `exchanges`: whether the system can exchange two names in one step. */
interface PrepareStory {
  exchanges: boolean;
  mutant?: Mutant;
  how: Omit<Thoroughness, 'random'>;
}

interface ExploredPrepare {
  states: number;
  /** Which plan was found, and how often. */
  found: Map<string, number>;
  problems: Set<string>;
  syncs: Set<string>;
  steps: readonly string[];
}

export async function explorePrepare(story: PrepareStory): Promise<ExploredPrepare> {
  const explored: ExploredPrepare = {
    states: 0,
    found: new Map(),
    problems: new Set(),
    syncs: new Set(),
    steps: [],
  };
  const random = randomNumbers(1);
  const seen = new Set<string>();
  const disk = new Disk(await freshDisk('plain', HOOK));
  const effects = newEffects(story.mutant);
  let told = '';
  const crashes: { graph: Graph; told: string; at: string }[] = [];
  const cut = (): void => {
    for (const graph of crashStates(disk, { ...story.how, random })) {
      const key = sha256OfText(
        `${told}${JSON.stringify([...walk(graph, 5)].map(([path, { text }]) => [path, text]))}`,
      );
      if (!seen.has(key)) crashes.push({ graph, told, at: effects.current });
      seen.add(key);
    }
  };
  disk.onChange = cut;
  told = await prepare(onlineOn(disk, effects, story.exchanges));
  cut();
  explored.steps = effects.steps;
  for (const sync of effects.syncs) explored.syncs.add(sync);
  for (const crash of crashes) {
    explored.states += 1;
    await judge(crash, story.exchanges, explored).catch((error: unknown) => {
      explored.problems.add(`${String(error)}, after a cut at: ${crash.at}`);
    });
  }
  return explored;
}

interface Machine {
  online: Online;
  service: ReturnType<typeof machinePorts>['service'];
}

function onlineOn(disk: Disk, effects: Effects, exchanges: boolean): Machine {
  disk.emptyRun();
  const root = disk.inode(SUPERBLOCK).names.get('default') ?? RUN;
  const mounts = new Map([['/', root], ['/run', RUN]]); // prettier-ignore
  const boot = { layout: 'plain', fault: 'none', boots: 0, view: { disk, mounts }, effects } as const;
  const { online, service } = machinePorts('prepare', boot);
  if (exchanges) return { online, service };
  const exchange = () => Promise.reject(new HostError('EXCHANGE_UNSUPPORTED', 'an older coreutils'));
  return { online: { ...online, files: { ...online.files, exchange } }, service };
}

let runs = 0;

/** Resolves with the id, which the person is told. */
async function prepare({ online, service }: Machine): Promise<string> {
  runs += 1;
  const seconds = runs;
  const moment = { ...online.moment, now: () => new Date(Date.UTC(2026, 10, 21, 0, 0, seconds)) };
  const { fs } = service;
  const payload = {
    ...standInPayload({ ...service, rootName: () => undefined, fault: 'none' }),
    plan: () => Promise.reject(new Error('the source plans')),
    agree: () => Promise.resolve(),
    // As apt does: nothing of it is synced.
    async fetch(_: unknown, { path }: { path: string }) {
      for (const name of packageNames) {
        const file = join(path, `packages/${name}.deb`);
        await fs.removeTree(file);
        await fs.createFile(file, contentOf(name, 'newer'), 0o644);
      }
      return new Map<string, Promise<string>>();
    },
  };
  const source: PlanSource = {
    request: { mode: 'upgrade', packages: [] },
    plan: () => Promise.resolve(plannedChanges(new Map())),
  };
  const { id } = await prepareUpdate(
    { ...online, moment },
    {
      source,
      payload,
      policy: defaultPolicy,
      facts: plainFacts([]),
      on: () => undefined,
    },
  );
  return id;
}

async function judge(
  { graph, told }: { graph: Graph; told: string },
  exchanges: boolean,
  { found }: ExploredPrepare,
): Promise<void> {
  const machine = onlineOn(new Disk(graph), newEffects(), exchanges);
  await mendStage(machine.online);
  const id = await soundId(machine);
  const which = id === updateId ? 'the former plan' : 'the new plan';
  found.set(which, (found.get(which) ?? 0) + 1);
  if (told !== '' && id !== told)
    throw new Error('prepared, as the person was told, and the former plan is there');
  const again = await prepare(machine);
  if ((await soundId(machine)) !== again) throw new Error('a new run does not make it good');
  const { store, fs, paths } = machine.online;
  const left = (await fs.readFolder(join(paths.root, '/var/lib'))).filter((name) =>
    name.startsWith('system-update'),
  );
  if (left.length !== 1) throw new Error(`a new run leaves ${left.join(' ')}`);
  const ids = await store.ids();
  if (ids.length !== 1) throw new Error(`a new run leaves the plans ${ids.join(' ')}`);
}

/** The id of the plan that the next verb finds, whose whole stage is as it was sealed. */
async function soundId({ online: { store, fs, paths } }: Machine): Promise<string> {
  const update = await store.current();
  const state = update?.journal.state;
  if (!update || state?.name !== 'prepared') throw new Error(`the update is ${state?.name ?? 'gone'}`);
  // What the report and the service tell by, and what will be installed.
  await store.readPlan(update);
  return (await verifyStage(fs, paths.stage, state.planHash)).id;
}
