/**
 * `npm run bench -- peers`: whole cycles of the same update, ours and those of all others that install offline, and
 * apt-get in the running system. Each disk, each size, each round: everybody once, in an order that is drawn. Writes
 * peers.md, peers.json and peers.svg into the folder `--out`; what is there already from a run before, of other
 * sizes or disks, stays.
 */
import { parseArgs } from 'node:util';
import { command } from '../../test/laboratory/command.js';
import { Machine, type Deb, type Layer } from '../../test/laboratory/laboratory.js';
import { guestFacts, loadNow, machineFacts } from '../machine-facts.js';
import { candidateNamed, candidates, type Candidate } from './candidates.js';
import { takeTurn } from './cycle.js';
import {
  aboutSlowFlushes,
  diskNames,
  peerDisks,
  usualFlushMilliseconds,
  type DiskName,
  type FileSystemName,
  type PeerDisk,
  type PeerDisks,
} from './peer-disk.js';
import { saveReport, type DiskFacts, type GroupFacts, type PeersRow } from './report.js';
import { everybodysLayer, scenarios, titleOf, type Scenario } from './scenarios.js';
import { shuffled } from '../turn-order.js';
import { numberOf, seedOfToday, UsageError } from '../usage.js';
import { randomNumbers } from '../../test/fixtures/random-numbers.js';

const fileSystems: readonly FileSystemName[] = ['btrfs', 'ext4'];

interface Wishes {
  fileSystems: readonly FileSystemName[];
  disks: readonly DiskName[];
  scenarios: readonly Scenario[];
  candidates: readonly Candidate[];
  runs: number;
  memory: boolean;
  random: () => number;
}

export async function comparePeers(args: readonly string[]): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '3' },
      sizes: { type: 'string', default: '1,10,100,500,large,debian' },
      'file-systems': { type: 'string', default: fileSystems.join() },
      disks: { type: 'string', default: diskNames.join() },
      'flush-ms': { type: 'string', default: String(usualFlushMilliseconds) },
      who: { type: 'string', default: candidates.map(({ name }) => name).join() },
      memory: { type: 'boolean', default: false },
      seed: { type: 'string', default: seedOfToday() },
      out: { type: 'string', default: `docs/benchmarks/${date}` },
    },
  });
  const seed = numberOf('--seed', values.seed, 0);
  const flushMilliseconds = numberOf('--flush-ms', values['flush-ms'], 0);
  const wishes: Wishes = {
    fileSystems: chosen('--file-systems', values['file-systems'], fileSystems, String),
    disks: chosen('--disks', values.disks, diskNames, String),
    scenarios: chosen('--sizes', values.sizes, scenarios, ({ name }) => name),
    candidates: chosen('--who', values.who, candidates, ({ name }) => name),
    runs: numberOf('--runs', values.runs, 1),
    memory: values.memory,
    random: randomNumbers(seed),
  };
  const machine = await machineFacts('with an image of its own on a loop device, over');
  if (wishes.disks.includes('slow-flushes')) machine.push(aboutSlowFlushes(flushMilliseconds));
  const layer = await everybodysLayer();
  machine.push(...(await factsInside(layer)));
  const missing: string[] = [];
  const tellMissing = (what: string, error: unknown): void => {
    const line = `not measured: ${what}: ${firstLineOf(error)}`;
    if (!missing.includes(line)) missing.push(line);
    console.error(`bench: ${line}`);
  };
  for (const type of wishes.fileSystems) {
    const all = peerDisks(type, layer, flushMilliseconds);
    try {
      const disks = await measuredDisks(all, type, wishes.disks, tellMissing);
      for (const scenario of wishes.scenarios) {
        const debs = await scenario.debs().catch((error: unknown) => {
          tellMissing(titleOf(scenario.name), error);
        });
        if (debs === undefined) continue;
        const rows: PeersRow[] = [];
        const groups: GroupFacts[] = [];
        for (const [index, facts] of disks.entries()) {
          const place: Place = { type, disk: facts.disk, isFirst: index === 0, scenario, debs };
          groups.push({ ...facts, size: scenario.name, date, seed, load: loadNow(), machine });
          rows.push(...(await onOneDisk(await all.for(facts.disk), place, wishes)));
        }
        await saveReport(values.out, { groups, rows, missing });
      }
    } finally {
      await all.dispose();
    }
  }
}

/** Each is made and measured before the first turn; one that cannot be had here is told and left out. */
async function measuredDisks(
  all: PeerDisks,
  fileSystem: FileSystemName,
  names: readonly DiskName[],
  missing: (what: string, error: unknown) => void,
): Promise<DiskFacts[]> {
  const disks: DiskFacts[] = [];
  for (const disk of names) {
    try {
      const facts = { fileSystem, disk, ...(await (await all.for(disk)).measure(disk)) };
      console.error(`bench: ${JSON.stringify(facts)}`);
      disks.push(facts);
    } catch (error) {
      missing(`${fileSystem}, ${disk}`, error);
    }
  }
  return disks;
}

/** Throws when a name is not one of those that there are. */
function chosen<T>(option: string, names: string, all: readonly T[], nameOf: (each: T) => string): T[] {
  return names.split(',').map((name) => {
    const found = all.find((each) => nameOf(each) === name);
    if (found === undefined)
      throw new UsageError(`${option}: no ${name}; there are ${all.map(nameOf).join(', ')}`);
    return found;
  });
}

async function factsInside(layer: Layer): Promise<string[]> {
  const machine = await Machine.on(layer);
  try {
    return await guestFacts(machine, ['packagekit']);
  } finally {
    await machine.dispose();
  }
}

interface Place {
  type: FileSystemName;
  disk: DiskName;
  /** Of those that could be had: the memory is looked at there alone, since the disk makes no difference to it. */
  isFirst: boolean;
  scenario: Scenario;
  debs: readonly Deb[];
}

async function onOneDisk(
  peerDisk: PeerDisk,
  { type, disk, isFirst, scenario, debs }: Place,
  wishes: Wishes,
): Promise<PeersRow[]> {
  const rows = wishes.candidates.map(({ name }): PeersRow => ({
    fileSystem: type,
    disk,
    size: scenario.name,
    packages: debs.length,
    candidate: name,
    turns: [],
    memoryMegabytes: null,
    failures: [],
  }));
  for (let round = 0; round < wishes.runs; round += 1) {
    for (const row of shuffled(rows, wishes.random)) await turnOf(row, peerDisk, debs, false);
  }
  if (wishes.memory && isFirst) for (const row of rows) await turnOf(row, peerDisk, debs, true);
  return rows;
}

/** A turn that fails is told, and the others go on. */
async function turnOf(row: PeersRow, disk: PeerDisk, debs: readonly Deb[], memory: boolean): Promise<void> {
  const what = `${row.fileSystem}, ${row.disk}, ${titleOf(row.size)}, ${row.candidate}`;
  try {
    const turn = await takeTurn(disk, row.disk, candidateNamed(row.candidate), debs, memory);
    if (memory) row.memoryMegabytes = turn.memoryMegabytes ?? null;
    else row.turns.push(turn);
    const [away, installing] = [turn.awaySeconds.toFixed(2), turn.installSeconds.toFixed(2)];
    console.error(`bench: ${what}: away ${away} s, installing ${installing} s`);
  } catch (error) {
    await disk.machine.kill();
    row.failures.push(firstLineOf(error));
    console.error(`bench: ${what}: ${error instanceof Error ? error.message : String(error)}`);
    await command(['sync']);
  }
}

function firstLineOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
