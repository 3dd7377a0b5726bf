/**
 * 10 GB of package files. What is hashed is proven twice: by `prepare`, and by the check in the update boot; here is told how
 * long that takes, how much memory, and how it stands against one core's sha256sum and openssl of Debian 13, on as
 * many of the same files as stay in the page cache. Nothing is installed: a hook before the install says no.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256OfFiles } from '../../src/host/hash.js';
import { command } from '../../test/laboratory/command.js';
import {
  debOf,
  machineWithVersion1,
  putRepository,
  rootImage,
  type Machine,
  type PlacedDeb,
} from '../../test/laboratory/laboratory.js';
import { packageUnderBench } from '../bench-machines.js';
import { secondsOf } from '../in-machine.js';
import type { Measurement, Result } from '../measurement.js';
import { phasesOf } from '../phases.js';
import { watchedByEnvironment, watchedMegabytes, watchServiceMemory } from '../service-memory.js';

const packages = 100;
const packageBytes = 100_000_000;
const gigabytes = (packages * packageBytes) / 1e9;
/** Of them so many are hashed from the page cache. */
const cachedPackages = 20;
const cachedGigabytes = (cachedPackages * packageBytes) / 1e9;
const timeoutSeconds = 1200;
const pool = '/srv/repository/pool';
const hook = '/etc/offline-update/before-install.d/99-no';
const staged = '/var/lib/system-update/packages';

export const hashing: Measurement = {
  name: 'hashing',
  about: `the proof of ${gigabytes} GB of package files; needs ${2 * gigabytes} GB of disk`,
  onlyByName: true,
  async measure(bench) {
    const base = await rootImage({ packages: ['openssl'] });
    const layer = await machineWithVersion1([], { base, install: [packageUnderBench()] });
    return bench.withMachine(layer, async (machine) => {
      const names = await offerLargePackages(machine);
      bench.say(`${packages} packages are on offer`);
      await watchServiceMemory(machine);
      // Nothing is installed: a copy of what would be replaced would only need room.
      await machine.write('/etc/offline-update/config.d/50-bench.toml', 'withoutSnapshots = "resume"\n');
      await machine.write(hook, '#!/bin/sh\nexit 1\n');
      await machine.run(['chmod', '+x', hook]);
      await machine.start();
      const prepareLine = `${watchedByEnvironment} offline-update prepare --no-refresh ${names.join(' ')}`;
      const prepare = await secondsOf(machine, prepareLine, timeoutSeconds);
      const prepareMegabytes = await watchedMegabytes(machine);
      await rm(machine.path(pool), { recursive: true });
      await machine.exec('sync', { timeoutSeconds });
      const trigger = await secondsOf(
        machine,
        'offline-update trigger --no-rehearse --action=reboot',
        timeoutSeconds,
      );
      await machine.stop();
      await machine.boot({ timeoutSeconds });
      const { check = NaN } = await phasesOf(machine, 'refused');
      const checkMegabytes = await watchedMegabytes(machine);
      const all = `${gigabytes} GB in ${packages} packages`;
      return [
        { what: `\`prepare\`, ${all}: copied, hashed, sealed`, unit: 's', ours: [prepare] },
        {
          what: `\`trigger\`, ${all}, from the page cache as far as it holds them`,
          unit: 's',
          ours: [trigger],
        },
        {
          what: `check in the update boot, ${all}, from the page cache as far as it holds them (${(gigabytes / check).toFixed(2)} GB/s)`,
          unit: 's',
          ours: [check],
        },
        { what: `peak memory of \`prepare\`, ${all}`, unit: 'MB', ours: [prepareMegabytes] },
        {
          what: `peak memory of the update service, ${all}`,
          unit: 'MB',
          ours: [checkMegabytes],
          target: { most: 120 },
        },
        ...(await fromPageCache(machine, bench.runs)),
      ];
    });
  },
};

/** New packages; each is built and written before the next one. */
async function offerLargePackages(machine: Machine): Promise<string[]> {
  const debs: PlacedDeb[] = [];
  await machine.run(['mkdir', '--parents', pool]);
  for (let number = 1; number <= packages; number += 1) {
    const { content, ...deb } = debOf({
      name: `lab-of-100-megabytes-${number}`,
      version: '1.0',
      sizeBytes: packageBytes,
    });
    await writeFile(machine.path(join(pool, deb.fileName)), content);
    debs.push(deb);
  }
  await putRepository(machine, debs);
  await machine.run('apt-get update --quiet=2');
  return debs.map(({ spec }) => spec.name);
}

async function fromPageCache(machine: Machine, runs: number): Promise<Result[]> {
  const folder = machine.path(staged);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.deb')).slice(0, cachedPackages);
  const paths = names.map((name) => join(folder, name));
  const inside = names.map((name) => join(staged, name));
  const timed = async (act: () => Promise<unknown>): Promise<number> => {
    const begin = performance.now();
    await act();
    return (performance.now() - begin) / 1000;
  };
  const sides = [
    () => sha256OfFiles(paths),
    () => command(['chroot', machine.root, 'sha256sum', ...inside]),
    () => command(['chroot', machine.root, 'openssl', 'dgst', '-sha256', ...inside]),
  ];
  for (const side of sides) await timed(side); // into the cache
  const seconds = sides.map((): number[] => []);
  for (let run = 0; run < runs; run += 1)
    for (const [index, side] of sides.entries()) seconds[index]?.push(await timed(side));
  const [ours = [], sums = [], openssl = []] = seconds;
  const what = `SHA-256 of ${cachedGigabytes} GB from the page cache`;
  return [
    {
      what,
      unit: 's',
      ours,
      peer: { name: "one core's `sha256sum` of Debian 13", values: sums },
      target: { ratio: 1 / 1.5 },
    },
    { what: '– the same', unit: 's', ours, peer: { name: '`openssl dgst -sha256`', values: openssl } },
  ];
}
