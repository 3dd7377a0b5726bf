/**
 * What the update boot costs beside the package manager: ours against a bare shell service in system-update.target that
 * runs the very same apt-get command and asks for the reboot. From sysinit.target, which both wait for, to the moment
 * when systemd begins to stop units, which is when it has got the request.
 *
 * On btrfs, with a way back, where syncs are spared; on ext4 without one, where ours is the bare service and all that is
 * asked of an update boot besides. On the disk itself, and where a flush costs next to nothing: there the share of what
 * is ours is the largest that it can be. Packages of one file each are the hardest case, since what is ours does not
 * grow with them; the smallest ones of Debian, as they are, show what a machine has of it.
 */
import {
  BtrfsMachine,
  ImageMachine,
  Machine,
  machineWithVersion1,
  putRepository,
  repackedPackages,
  rootImage,
  tinyPackages,
  type BootRecord,
  type Layer,
} from '../../test/laboratory/laboratory.js';
import { packageCount, packageUnderBench } from '../bench-machines.js';
import { makeBare } from '../bare-service.js';
import { phasesOf } from '../phases.js';
import type { Bench, Measurement, Result } from '../measurement.js';

/** A machine that can be brought back to what it was before each update. */
type Rewindable = BtrfsMachine | ImageMachine;

/** What is installed. */
interface Packages {
  what: string;
  /** Has our package, the old version of all of these, and a repository with the new one. */
  layer(): Promise<Layer>;
  /** Of the new version, as a pattern for grep. */
  version: string;
}

const tiny: Packages = {
  what: `${packageCount} packages of one file each`,
  layer: async () =>
    machineWithVersion1(tinyPackages(packageCount), { base: await root(), install: [packageUnderBench()] }),
  version: '2.0$',
};

/** Packed again as a next version, uncompressed, with their scripts and triggers. */
const smallestOfDebian: Packages = {
  what: `the ${packageCount} smallest packages of Debian`,
  async layer() {
    const machine = await Machine.on(
      await machineWithVersion1([], { base: await root(), install: [packageUnderBench()] }),
    );
    const names = await smallestInstalled(machine);
    await putRepository(machine, await repackedPackages(await root(), names));
    await machine.run('apt-get update --quiet=2');
    return machine.freeze();
  },
  version: '+lab1$',
};

interface Place {
  what: string;
  packages?: Packages;
  /** TOML. */
  policy: string;
  make(layer: Layer): Promise<Rewindable>;
  target?: { ratio: number };
}

const target = { ratio: 1.05 };
const places: readonly Place[] = [
  {
    what: 'btrfs with its way back, on the disk',
    policy: 'snapshot = "require"\n',
    make: (layer) => BtrfsMachine.make(layer, { on: 'disk' }),
    target,
  },
  {
    what: 'btrfs with its way back, in memory',
    policy: 'snapshot = "require"\n',
    make: (layer) => BtrfsMachine.make(layer, { on: 'memory' }),
    target,
  },
  {
    what: 'ext4 without a way back, on the disk',
    policy: 'withoutSnapshots = "resume"\n',
    make: (layer) => ImageMachine.make(layer, { type: 'ext4', storage: 'direct' }),
    target,
  },
  {
    what: 'ext4 without a way back, in memory',
    policy: 'withoutSnapshots = "resume"\n',
    make: (layer) => ImageMachine.make(layer, { type: 'ext4' }),
  },
  {
    what: 'btrfs with its way back, on the disk',
    packages: smallestOfDebian,
    policy: 'snapshot = "require"\n',
    make: (layer) => BtrfsMachine.make(layer, { on: 'disk' }),
    target,
  },
  {
    what: 'ext4 without a way back, on the disk',
    packages: smallestOfDebian,
    policy: 'withoutSnapshots = "resume"\n',
    make: (layer) => ImageMachine.make(layer, { type: 'ext4', storage: 'direct' }),
    target,
  },
];

export const updateBoot: Measurement = {
  name: 'update-boot',
  about: `the update boot with ${packageCount} packages`,
  async measure(bench) {
    const results: Result[] = [];
    for (const place of places) results.push(...(await measurePlace(bench, place)));
    return results;
  },
};

async function measurePlace(bench: Bench, place: Place): Promise<Result[]> {
  const [ours, values]: [number[], number[]] = [[], []];
  const phases = new Map<string, number[]>();
  const { what, packages = tiny, policy, target } = place;
  const machine = await place.make(await packages.layer());
  try {
    await machine.write('/etc/offline-update/config.d/50-bench.toml', policy);
    await machine.start();
    await machine.exec(
      'offline-update prepare --no-refresh && offline-update trigger --no-rehearse --action reboot',
    );
    await machine.stop();
    await machine.remember();
    for (let run = 0; run < bench.runs; run += 1) {
      ours.push(await oursOnce(machine, phases));
      values.push(await bareOnce(machine, packages));
      const [last, bare] = [ours, values].map((each) => each.at(-1)?.toFixed(3) ?? '');
      bench.say(`${packages.what}, ${what}, run ${run + 1}: ours ${last} s, bare ${bare} s`);
    }
  } finally {
    await machine.dispose();
  }
  const row = `update boot, ${packages.what}, sysinit.target to the reboot request, ${what}`;
  const peer = { name: 'bare shell service, same `apt-get`', values };
  return [
    { what: row, unit: 's', ours, peer, ...(target && { target }) },
    ...[...phases].map(([phase, each]): Result => ({ what: `– of it, ${phase}`, unit: 's', ours: each })),
  ];
}

function root(): Promise<Layer> {
  return rootImage({ packages: ['btrfs-progs'] });
}

async function smallestInstalled(machine: Machine): Promise<string[]> {
  const query = "dpkg-query --show --showformat='${Installed-Size} ${Package}\\n'";
  const { stdout } = await machine.run(`${query} | sort --numeric-sort | head --lines=${packageCount}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/^\d* /, ''))
    .filter((name) => name !== 'offline-update');
}

async function oursOnce(machine: Rewindable, phases: Map<string, number[]>): Promise<number> {
  await machine.restore();
  const seconds = await awaySeconds(machine, await machine.boot({ timeoutSeconds: 600 }));
  const known = await phasesOf(machine);
  // what is left is the start of Node.js, the claim, and the way out
  const rest = seconds - Object.values(known).reduce((sum, each) => sum + each, 0);
  for (const [phase, value] of Object.entries({ ...known, 'start, claim, records and way out': rest })) {
    phases.set(phase, [...(phases.get(phase) ?? []), value]);
  }
  return seconds;
}

async function bareOnce(machine: Rewindable, { version }: Packages): Promise<number> {
  await machine.restore();
  await makeBare(machine);
  const seconds = await awaySeconds(machine, await machine.boot({ timeoutSeconds: 600 }));
  const query = "dpkg-query --show --showformat='${db:Status-Abbrev}${Version}\\n'";
  const { stdout } = await machine.run(`${query} | grep -c '^ii .*${version}'`, { check: false });
  if (Number(stdout) < packageCount) throw new Error(`the bare service installed ${stdout.trim()} packages`);
  return seconds;
}

async function awaySeconds(machine: Machine, record: BootRecord): Promise<number> {
  if (record.ended !== 'reboot') throw new Error(`the update boot ended with ${record.ended}`);
  const rows = (await machine.journal()).filter(
    ({ fields, monotonicSeconds }) =>
      fields['_COMM'] === 'systemd' && monotonicSeconds > record.startedSeconds,
  );
  const begin = rows.find(({ message }) => message.startsWith('Reached target sysinit.target'));
  const end = rows.find(({ message }) => /^(Removed slice|Stopping|Stopped) /.test(message));
  if (!begin || !end) throw new Error('the journal does not tell when the update boot began and ended');
  return end.monotonicSeconds - begin.monotonicSeconds;
}
