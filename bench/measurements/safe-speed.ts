/**
 * The install with a way back, whose syncs are spared, against the bare package manager on the same btrfs: in memory,
 * where a flush costs nothing, and on the disk, past the page cache of the host. On our side everything that makes it
 * safe counts: install, verification, the final sync and the switch of the roots; of the other one apt-get alone.
 */
import {
  BtrfsMachine,
  machineWithVersion1,
  rootImage,
  tinyPackages,
} from '../../test/laboratory/laboratory.js';
import { makeWarmStart, packageCount, packageUnderBench } from '../bench-machines.js';
import { makeBare } from '../bare-service.js';
import type { Measurement, Result } from '../measurement.js';
import { installSecondsOf } from '../phases.js';
import { shellUpdateSeconds } from '../shell-update.js';
import { shuffled } from '../turn-order.js';

const places = [
  { on: 'disk', what: 'btrfs on the disk, real flushes', target: { ratio: 0.5 } },
  { on: 'memory', what: 'btrfs in memory' },
] as const;

export const safeSpeed: Measurement = {
  name: 'safe-speed',
  about: `the install of ${packageCount} packages with a way back, on btrfs`,
  drawsTurns: true,
  async measure(bench) {
    const results: Result[] = [];
    for (const { on, what, ...rest } of places) {
      const machine = await machineOn(on);
      try {
        const [ours, kept, peer]: [number[], number[], number[]] = [[], [], []];
        for (let run = 0; run < bench.runs; run += 1) {
          const turns = [
            async () => ours.push(await oursOnce(machine, 'auto')),
            async () => peer.push(await bareOnce(machine)),
            async () => kept.push(await oursOnce(machine, 'keep')),
          ];
          for (const turn of shuffled(turns, bench.random)) await turn();
          const last = [ours, kept, peer].map((values) => values.at(-1)?.toFixed(3) ?? '');
          bench.say(`${what}, run ${run + 1}: ours ${last[0]} s, kept ${last[1]} s, bare ${last[2]} s`);
        }
        const bare = { name: 'bare `apt-get` alone', values: peer };
        const row = `install with a way back, ${packageCount} packages, ${what}`;
        results.push(
          { what: `${row}: install, verification, final sync, commit`, unit: 's', ours, peer: bare, ...rest },
          {
            what: `– the same with every sync made (\`packageSyncs = "keep"\`)`,
            unit: 's',
            ours: kept,
            peer: bare,
          },
        );
      } finally {
        await machine.dispose();
      }
    }
    return results;
  },
};

async function machineOn(on: 'memory' | 'disk'): Promise<BtrfsMachine> {
  const base = await rootImage({ packages: ['btrfs-progs'] });
  const layer = await machineWithVersion1(tinyPackages(packageCount), {
    base,
    install: [packageUnderBench()],
  });
  const machine = await BtrfsMachine.make(layer, { on });
  await machine.remember();
  return machine;
}

async function arm(machine: BtrfsMachine, policy: 'auto' | 'keep'): Promise<void> {
  await machine.restore();
  await machine.write('/etc/offline-update/config.d/50-bench.toml', `packageSyncs = "${policy}"\n`);
  await machine.start();
  await machine.exec(makeWarmStart);
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);
  await machine.exec(['offline-update', 'trigger', '--action', 'reboot']);
  await machine.stop();
}

async function oursOnce(machine: BtrfsMachine, policy: 'auto' | 'keep'): Promise<number> {
  await arm(machine, policy);
  await machine.boot();
  return installSecondsOf(machine);
}

async function bareOnce(machine: BtrfsMachine): Promise<number> {
  await arm(machine, 'auto');
  await makeBare(machine);
  await machine.boot();
  return shellUpdateSeconds(machine);
}
