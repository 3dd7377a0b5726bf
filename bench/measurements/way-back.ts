/**
 * What the way back costs on a btrfs root of 2 GB, on the disk: to arm it and to switch to the updated root (the phases
 * `snapshot` and `commit` as a whole, the final sync among them), and the boot that follows upon a failed update, in
 * which the old root writes down what happened, beside a plain one of the same machine.
 */
import {
  BtrfsMachine,
  machineWithVersion1,
  rootImage,
  type BootRecord,
} from '../../test/laboratory/laboratory.js';
import { packageUnderBench } from '../bench-machines.js';
import type { Measurement } from '../measurement.js';
import { phasesOf } from '../phases.js';

const rootBytes = 2_000_000_000;
const good = 'lab-good';
const bad = 'lab-postinst-fails';

export const wayBack: Measurement = {
  name: 'way-back',
  about: 'the way back on a btrfs root of 2 GB: to arm it, to commit, and the boot after a failed update',
  async measure(bench) {
    const machine = await machineOfTwoGigabytes();
    const [switching, reverted, plain]: [number[], number[], number[]] = [[], [], []];
    try {
      for (let run = 0; run < bench.runs; run += 1) {
        await arm(machine, good);
        await machine.boot();
        const { snapshot = NaN, commit = NaN } = await phasesOf(machine);
        switching.push(snapshot + commit);

        await arm(machine, bad);
        plain.push(secondsOfBoot(await machine.start({ words: ['systemd.unit=multi-user.target'] })));
        await machine.stop();
        const [update, next, ...more] = await machine.bootUntilSettled();
        if (update?.ended !== 'reboot' || !next || more.length > 0)
          throw new Error('the revert was not one boot');
        reverted.push(secondsOfBoot(next));
        const last = [switching, reverted, plain].map((values) => values.at(-1)?.toFixed(3) ?? '');
        bench.say(
          `run ${run + 1}: arm and commit ${last[0]} s, reverted boot ${last[1]} s, plain ${last[2]} s`,
        );
      }
    } finally {
      await machine.dispose();
    }
    return [
      {
        what: 'a fallback is armed, and the updated root committed, btrfs root of 2 GB on the disk',
        unit: 's',
        ours: switching,
        target: { most: 1.5 },
      },
      {
        what: 'the one boot of a revert: the old root, up and the failure recorded',
        unit: 's',
        ours: reverted,
        peer: { name: 'a plain boot of the same machine', values: plain },
        target: { ratio: 1.2 },
      },
    ];
  },
};

async function machineOfTwoGigabytes(): Promise<BtrfsMachine> {
  const base = await rootImage({ packages: ['btrfs-progs'] });
  const layer = await machineWithVersion1([good, bad], { base, install: [packageUnderBench()] });
  const machine = await BtrfsMachine.make(layer, { on: 'disk', megabytes: 6144 });
  const { stdout } = await machine.run('du --summarize --one-file-system --block-size=1 /');
  const files = Math.ceil((rootBytes - Number.parseInt(stdout)) / (1 << 20));
  await machine.run(`cd /srv && for n in $(seq ${files}); do head -c 1M /dev/urandom >filler-$n; done; sync`);
  await machine.remember();
  return machine;
}

async function arm(machine: BtrfsMachine, name: string): Promise<void> {
  await machine.restore();
  await machine.start();
  await machine.exec(['offline-update', 'prepare', '--no-refresh', name]);
  await machine.exec(['offline-update', 'trigger', '--no-rehearse', '--action', 'reboot']);
  await machine.stop();
}

function secondsOfBoot({ ended, seconds }: BootRecord): number {
  if (ended !== 'up') throw new Error(`a boot ended with ${ended}`);
  return seconds;
}
