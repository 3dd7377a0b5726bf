/**
 * `npm run bench [-- NAME...] [--runs=N] [--sizes=N,...] [--rows=TEXT] [--seed=N]`: measures, side by side on one
 * machine in one run, and prints a Markdown table. Exits with 1 when a target is missed. Needs root, as all that boots.
 * `npm run bench -- peers` has options and output of its own (peers/peers.ts).
 */
import { parseArgs } from 'node:util';
import { randomNumbers } from '../test/fixtures/random-numbers.js';
import { benchMachines } from './bench-machines.js';
import { guestFacts, loadNow, machineFacts } from './machine-facts.js';
import type { Measurement, Result } from './measurement.js';
import { copy } from './measurements/copy.js';
import { generator } from './measurements/generator.js';
import { hashing } from './measurements/hashing.js';
import { memory } from './measurements/memory.js';
import { prepare } from './measurements/prepare.js';
import { scale } from './measurements/scale.js';
import { safeSpeed } from './measurements/safe-speed.js';
import { rehearsal } from './measurements/rehearsal.js';
import { status } from './measurements/status.js';
import { updateBoot } from './measurements/update-boot.js';
import { comparePeers } from './peers/peers.js';
import { wayBack } from './measurements/way-back.js';
import { wholeBoots } from './measurements/whole-boots.js';
import { isReached } from './statistics.js';
import { resultTable } from './table.js';
import { isUsageError, numberOf, seedOfToday, usage, UsageError, wholeNumbersOf } from './usage.js';

const measurements: readonly Measurement[] = [
  generator,
  updateBoot,
  safeSpeed,
  copy,
  wayBack,
  prepare,
  rehearsal,
  status,
  memory,
  hashing,
  scale,
  wholeBoots,
];

async function main(): Promise<void> {
  const [first, ...rest] = process.argv.slice(2);
  if (process.argv.includes('--help')) {
    console.log(usage);
    return;
  }
  if (first === 'peers') {
    await comparePeers(rest);
    return;
  }
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '7' },
      sizes: { type: 'string' },
      rows: { type: 'string' },
      seed: { type: 'string', default: seedOfToday() },
      list: { type: 'boolean', default: false },
    },
  });
  if (values.list) {
    for (const { name, about } of measurements) console.log(`${name.padEnd(12)} ${about}`);
    return;
  }
  const unknown = positionals.filter((name) => !measurements.some((each) => each.name === name));
  if (unknown.length > 0) throw new UsageError(`no such measurement: ${unknown.join(', ')}; see --list`);
  const chosen = measurements.filter(({ name, onlyByName = false }) =>
    positionals.length > 0 ? positionals.includes(name) : !onlyByName,
  );
  const runs = numberOf('--runs', values.runs, 1);
  const seed = numberOf('--seed', values.seed, 0);
  const sizes = values.sizes === undefined ? undefined : wholeNumbersOf('--sizes', values.sizes);
  if (sizes && !chosen.some(({ takesSizes = false }) => takesSizes))
    throw new UsageError('--sizes: nothing that is to be measured takes it');
  if (values.rows !== undefined && !chosen.some(({ takesRows = false }) => takesRows))
    throw new UsageError('--rows: nothing that is to be measured takes it');
  const facts = [...(await machineFacts()), `load ${loadNow().toFixed(1)} at the start`];
  if (chosen.some(({ drawsTurns = false }) => drawsTurns)) facts.push(`order of the turns: seed ${seed}`);
  const say = (line: string): void => {
    console.error(`bench: ${line}`);
  };
  const bench = benchMachines({ runs, sizes, rows: values.rows ?? '', random: randomNumbers(seed), say });
  const results: Result[] = [];
  for (const measurement of chosen) {
    say(measurement.about);
    results.push(...(await measurement.measure(bench)));
  }
  facts.push(...(await bench.withMachine(await bench.installed(), (machine) => guestFacts(machine))));
  console.log(facts.map((fact) => `- ${fact}`).join('\n'));
  console.log(
    `\n${resultTable(results)}\n\nMedians; in brackets the least of all runs. All sides took turns.`,
  );
  if (results.some((result) => isReached(result) === false)) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  if (!isUsageError(error)) throw error;
  console.error(`bench: ${error.message}\n${usage}`);
  process.exitCode = 2;
}
