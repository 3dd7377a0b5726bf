/**
 * The rehearsal: what `trigger` takes with it, beside the package manager installing the same plan for real on the
 * running system; and how far its estimate of the time away is from the truth of the update that follows.
 */
import type { Machine } from '../../test/laboratory/laboratory.js';
import { packageCount } from '../bench-machines.js';
import type { Bench, Measurement } from '../measurement.js';

export const rehearsal: Measurement = {
  name: 'rehearsal',
  about: `a rehearsal of ${packageCount} packages, and its estimate`,
  async measure(bench) {
    const [ours, bare, foretold, away, off]: number[][] = [[], [], [], [], []];
    for (let run = 0; run < bench.runs; run += 1) {
      const told = await bench.withMachine(await bench.prepared(), rehearsedUpdate);
      bare?.push(await bareOnce(bench));
      ours?.push(told.triggerSeconds);
      foretold?.push(told.foretoldSeconds);
      away?.push(told.awaySeconds);
      off?.push((100 * Math.abs(told.foretoldSeconds - told.awaySeconds)) / told.awaySeconds);
      bench.say(
        `run ${run + 1}: trigger ${told.triggerSeconds.toFixed(2)} s, bare install ${bare?.at(-1)?.toFixed(2) ?? ''} s, ` +
          `foretold ${told.foretoldSeconds.toFixed(1)} s, was ${told.awaySeconds.toFixed(1)} s (${told.parts})`,
      );
    }
    return [
      {
        what: `trigger with its rehearsal of ${packageCount} packages`,
        unit: 's',
        ours: ours ?? [],
        peer: { name: 'bare `apt-get install`', values: bare ?? [] },
        target: { ratio: 1.5 },
      },
      {
        what: `time away foretold for ${packageCount} packages`,
        unit: 's',
        ours: foretold ?? [],
        peer: { name: 'the truth', values: away ?? [] },
      },
      { what: '– the estimate is off by', unit: '%', ours: off ?? [], target: { most: 30 } },
    ];
  },
};

type Part = 'downSeconds' | 'installSeconds' | 'upSeconds';
type Parts = Record<Part, number | null>;

const reboot =
  'busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager Reboot b false';

async function rehearsedUpdate(
  machine: Machine,
): Promise<{ triggerSeconds: number; foretoldSeconds: number; awaySeconds: number; parts: string }> {
  await machine.start();
  const began = performance.now();
  await machine.exec(['offline-update', 'trigger', '--action', 'reboot']);
  const triggerSeconds = (performance.now() - began) / 1000;
  await machine.exec(reboot); // by logind, which writes down when it was asked
  await machine.waitForEnd();
  await machine.bootUntilSettled();
  await machine.exec('systemctl start offline-update-confirm.service');
  const { stdout } = await machine.exec(['offline-update', 'report', '--json']);
  const { estimate, away } = JSON.parse(stdout) as { estimate: Parts; away: Parts };
  const known = (value: number | null): number => {
    if (value === null) throw new Error(`a part of the time away is not known: ${stdout}`);
    return value;
  };
  const total = (parts: Parts): number =>
    known(parts.downSeconds) + known(parts.installSeconds) + known(parts.upSeconds);
  const list = (['downSeconds', 'installSeconds', 'upSeconds'] as const).map(
    (key) => `${known(estimate[key]).toFixed(1)}/${known(away[key]).toFixed(1)}`,
  );
  return {
    triggerSeconds,
    foretoldSeconds: total(estimate),
    awaySeconds: total(away),
    parts: `foretold/was: down, install, up ${list.join(', ')}`,
  };
}

/** The very same words as in the update boot, on the running system. */
async function bareOnce(bench: Bench): Promise<number> {
  return bench.withMachine(await bench.prepared(), async (machine) => {
    await machine.start();
    const began = performance.now();
    await machine.exec('apt-get -c /var/lib/system-update/apt.conf -q -y install "lab-tiny-*" </dev/null');
    return (performance.now() - began) / 1000;
  });
}
