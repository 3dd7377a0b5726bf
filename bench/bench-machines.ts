/** The machines of all measurements, each made once, when the first measurement asks for it. */
import { execFileSync } from 'node:child_process';
import type { Layer } from '../test/laboratory/laboratory.js';
import { Machine, machineWithVersion1, rootImage, tinyPackages } from '../test/laboratory/laboratory.js';
import type { Bench, Wishes } from './measurement.js';

export const packageCount = 100;

/** Where a machine was copied file by file, what dpkg has left on it for these very files is made for the copies. */
export const makeWarmStart = '/usr/lib/offline-update/make-warm-start';

export function benchMachines(wishes: Wishes): Bench {
  const installed = once(async () => {
    const base = await rootImage({ packages: ['hyperfine'] });
    return machineWithVersion1(tinyPackages(packageCount), { base, install: [packageUnderBench()] });
  });
  const prepared = once(async () =>
    grown(await installed(), 'offline-update prepare --no-refresh', 'resume'),
  );
  const armed = once(async () =>
    grown(await prepared(), 'offline-update trigger --no-rehearse --action reboot'),
  );
  const armedWithCopy = once(async () =>
    grown(
      await installed(),
      'offline-update prepare --no-refresh && offline-update trigger --no-rehearse --action reboot',
      'copy',
    ),
  );
  return { installed, prepared, armed, armedWithCopy, withMachine, ...wishes };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function grown(layer: Layer, line: string, withoutSnapshots?: 'copy' | 'resume'): Promise<Layer> {
  const machine = await Machine.on(layer);
  if (withoutSnapshots) {
    const policy = `withoutSnapshots = "${withoutSnapshots}"\n`;
    await machine.write('/etc/offline-update/config.d/10-bench.toml', policy);
  }
  await machine.start();
  await machine.exec(line);
  await machine.stop();
  return machine.freeze();
}

async function withMachine<T>(layer: Layer, use: (machine: Machine) => Promise<T>): Promise<T> {
  const machine = await Machine.on(layer, { storage: 'disk' });
  try {
    return await use(machine);
  } finally {
    await machine.dispose();
  }
}

/** The .deb as it is now in this tree, or the one that is named. */
export function packageUnderBench(): string {
  const named = process.env['OFFLINE_UPDATE_DEB'];
  if (named !== undefined) return named;
  const output = execFileSync(process.execPath, ['scripts/package.mjs'], { encoding: 'utf8' });
  const path = output.trim().split('\n').at(-1);
  if (path === undefined) throw new Error('scripts/package.mjs told no path');
  return path;
}
