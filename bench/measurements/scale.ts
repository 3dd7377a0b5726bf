/**
 * What our part costs as the plan grows: prepare beside apt's own download, the trigger, and in the update boot all but the
 * package manager itself. A step that is not linear shows as a figure for each package that grows. The root is btrfs in
 * memory: nowhere is the install itself quicker, so that our share is the largest.
 */
import { BtrfsMachine, machineWithVersion1, rootImage } from '../../test/laboratory/laboratory.js';
import { packageUnderBench } from '../bench-machines.js';
import { secondsOf } from '../in-machine.js';
import type { Measurement, Result } from '../measurement.js';
import { phasesOf } from '../phases.js';
import { withManyPackages } from '../scale/many-packages.js';

const counts = [10, 100, 1000, 5000];
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
  download: number;
  prepare: number;
  trigger: number;
  install: number;
  /** All phases but the install. */
  phases: Record<string, number>;
  megabytes: number;
}

async function figuresOf(count: number): Promise<Figures> {
  const base = await rootImage({ packages: ['btrfs-progs'] });
  const layer = await machineWithVersion1([], { base, install: [packageUnderBench()] });
  const machine = await BtrfsMachine.make(layer, { megabytes: 8192 });
  try {
    await withManyPackages(machine, count);
    await machine.write(memoryHook, memoryScript);
    await machine.write('/usr/lib/systemd/system/offline-update.service.d/bench.conf', memoryDropIn);
    await machine.start({ timeoutSeconds });
    const download = await secondsOf(machine, 'apt-get --quiet=2 --yes --download-only upgrade');
    await machine.exec('apt-get clean');
    const prepare = await secondsOf(machine, 'offline-update prepare --no-refresh');
    const trigger = await secondsOf(machine, 'offline-update trigger --no-rehearse');
    await machine.stop();
    await machine.boot({ timeoutSeconds });
    const { install = NaN, ...phases } = await phasesOf(machine);
    const megabytes = (Number(await machine.read(memoryTold)) * 1024) / 1e6;
    return { download, prepare, trigger, install, phases, megabytes };
  } finally {
    await machine.dispose();
  }
}

function rowsOf(
  count: number,
  { download, prepare, trigger, install, phases, megabytes }: Figures,
): Result[] {
  const own = Object.values(phases).reduce((sum, seconds) => sum + seconds, 0);
  const size = `${count} packages`;
  const each = (seconds: number): string => `${((seconds / count) * 1000).toFixed(2)} ms a package`;
  return [
    {
      what: `\`prepare\`, ${size} (${each(prepare)})`,
      unit: 's',
      ours: [prepare],
      peer: { name: '`apt-get --download-only`', values: [download] },
    },
    { what: `\`trigger\`, ${size} (${each(trigger)})`, unit: 's', ours: [trigger] },
    {
      what: `update boot without the install, ${size} (${each(own)}): ${words(phases)}`,
      unit: 's',
      ours: [own],
      peer: { name: 'the install', values: [install] },
      ...(count === Math.max(...counts) && { target: { ratio: shareTarget } }),
    },
    {
      what: `peak memory of the update service, ${size}`,
      unit: 'MB',
      ours: [megabytes],
      target: { most: 120 },
    },
  ];
}

function words(phases: Record<string, number>): string {
  return Object.entries(phases)
    .map(([phase, seconds]) => `${phase} ${seconds.toFixed(2)}`)
    .join(', ');
}

const memoryTold = '/var/lib/bench-memory';
const memoryHook = '/usr/lib/bench-memory.cjs';
const memoryScript = `process.on('exit', () => { require('node:fs').writeFileSync('${memoryTold}', String(process.resourceUsage().maxRSS)); });\n`;
const memoryDropIn = `[Service]\nEnvironment=NODE_OPTIONS=--require=${memoryHook}\n`;
