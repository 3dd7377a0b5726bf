/**
 * What our part costs as the plan grows: prepare beside apt's own download, the trigger, and in the update boot all but the
 * package manager itself; and the install beside apt-get alone in the running system, since we listen to it. A step that is
 * not linear shows as a figure for each package that grows. The root is btrfs in memory: nowhere is the install itself
 * quicker, so that our share is the largest.
 */
import { BtrfsMachine, machineWithVersion1, rootImage } from '../../test/laboratory/laboratory.js';
import { packageUnderBench } from '../bench-machines.js';
import { secondsOf } from '../in-machine.js';
import type { Measurement, Result } from '../measurement.js';
import { phasesOf } from '../phases.js';
import { withManyPackages } from '../scale/many-packages.js';
import { watchedMegabytes, watchServiceMemory } from '../service-memory.js';

const counts = [10, 100, 1000, 5000];
/** Of this one it was promised what all of ours may cost. */
const promisedCount = 5000;
const shareTarget = 0.05;
const timeoutSeconds = 1800;

export const scale: Measurement = {
  name: 'scale',
  about: `the cost of plans of ${counts.join(', ')} packages`,
  onlyByName: true,
  async measure(bench) {
    const results: Result[] = [];
    for (const count of counts) {
      const figures = await figuresOf(count);
      bench.say(`${count} packages: ${JSON.stringify(figures)}`);
      results.push(...rowsOf(count, figures));
    }
    return results;
  },
};

interface Figures {
  /** By apt-get, as `bare` is its upgrade. */
  download: number;
  bare: number;
  prepare: number;
  trigger: number;
  install: number;
  /** All phases but the install. */
  phases: Record<string, number>;
  /** The update boot, from the start of its PID 1 to its end, with all that systemd does in it. */
  boot: number;
  megabytes: number;
}

async function figuresOf(count: number): Promise<Figures> {
  const base = await rootImage({ packages: ['btrfs-progs'] });
  const layer = await machineWithVersion1([], { base, install: [packageUnderBench()] });
  const machine = await BtrfsMachine.make(layer, { megabytes: 8192 });
  try {
    await withManyPackages(machine, count);
    await watchServiceMemory(machine);
    await machine.remember();
    await machine.start({ timeoutSeconds });
    const download = await secondsOf(machine, 'apt-get --quiet=2 --yes --download-only upgrade');
    const bare = await secondsOf(machine, 'apt-get --quiet --yes --no-download upgrade', timeoutSeconds);
    await machine.restore();
    await machine.start({ timeoutSeconds });
    const prepare = await secondsOf(machine, 'offline-update prepare --no-refresh');
    const trigger = await secondsOf(machine, 'offline-update trigger --no-rehearse --action=reboot');
    await machine.stop();
    const { seconds: boot } = await machine.boot({ timeoutSeconds });
    const { install = NaN, ...phases } = await phasesOf(machine);
    const megabytes = await watchedMegabytes(machine);
    return { download, bare, prepare, trigger, install, phases, boot, megabytes };
  } finally {
    await machine.dispose();
  }
}

function rowsOf(count: number, figures: Figures): Result[] {
  const { download, bare, prepare, trigger, install, phases, boot, megabytes } = figures;
  const own = sumOf(Object.values(phases));
  const size = `${count} packages`;
  const each = (seconds: number): string => `${((seconds / count) * 1000).toFixed(2)} ms a package`;
  const theInstall = { name: 'the install', values: [install] };
  return [
    {
      what: `\`prepare\`, ${size} (${each(prepare)})`,
      unit: 's',
      ours: [prepare],
      peer: { name: '`apt-get --download-only`', values: [download] },
    },
    { what: `\`trigger\`, ${size} (${each(trigger)})`, unit: 's', ours: [trigger] },
    {
      what: `our phases but the install, ${size} (${each(own)}): ${words(phases)}`,
      unit: 's',
      ours: [own],
      peer: theInstall,
    },
    {
      what: `the install, ${size} (${each(install)})`,
      unit: 's',
      ours: [install],
      peer: { name: '`apt-get upgrade` alone, in the running system', values: [bare] },
    },
    {
      what: `everything of ours, ${size}: \`prepare\` without the download, \`trigger\`, and of the update boot all but the install, systemd's own start and end with it`,
      unit: 's',
      ours: [prepare - download + trigger + boot - install],
      peer: theInstall,
      ...(count === promisedCount && { target: { ratio: shareTarget } }),
    },
    {
      what: `peak memory of the update service, ${size}`,
      unit: 'MB',
      ours: [megabytes],
      target: { most: 120 },
    },
  ];
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function words(phases: Record<string, number>): string {
  return Object.entries(phases)
    .map(([phase, seconds]) => `${phase} ${seconds.toFixed(2)}`)
    .join(', ');
}
