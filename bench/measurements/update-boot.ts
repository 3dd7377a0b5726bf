/**
 * What the update boot costs beside the package manager: ours against a bare shell service in system-update.target that
 * runs the very same apt-get command and asks for the reboot. From sysinit.target, which both wait for, to the reboot
 * request; and, in a row of its own, from the first word of PID 1, since our generator is at work before that target.
 *
 * Each after a full boot, and on ext4 also after the soft-reboot that `--action auto` chooses for such an update, of both: there
 * the service that the trigger has started ahead is taken.
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
  monotonicSeconds,
  putRepository,
  repackedPackages,
  rootImage,
  tinyPackages,
  type Layer,
} from '../../test/laboratory/laboratory.js';
import { makeWarmStart, packageCount, packageUnderBench } from '../bench-machines.js';
import { makeBare } from '../bare-service.js';
import { phasesOf } from '../phases.js';
import { goAndComeBack } from '../peers/there-and-back.js';
import { firstWord, fromSysinitAfter, updateBootSpans, type UpdateBootSpans } from '../update-boot-spans.js';
import type { Bench, Measurement, Result } from '../measurement.js';
import { shuffled } from '../turn-order.js';
import { UsageError } from '../usage.js';

const timeoutSeconds = 600;

/** Of a soft-reboot the begin is not measured before sysinit.target. */
type Spans = Pick<UpdateBootSpans, 'fromSysinit'> & Partial<UpdateBootSpans>;

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
  /** A soft-reboot leads into the update boot, from the system in which it was armed. */
  isSoft?: boolean;
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
    what: 'ext4 without a way back, on the disk, after a soft-reboot',
    policy: 'withoutSnapshots = "resume"\n',
    isSoft: true,
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
  {
    what: 'ext4 without a way back, on the disk, after a soft-reboot',
    packages: smallestOfDebian,
    policy: 'withoutSnapshots = "resume"\n',
    isSoft: true,
    make: (layer) => ImageMachine.make(layer, { type: 'ext4', storage: 'direct' }),
    target,
  },
];

export const updateBoot: Measurement = {
  name: 'update-boot',
  about: `the update boot with ${packageCount} packages`,
  drawsTurns: true,
  takesRows: true,
  async measure(bench) {
    const wanted = places.filter((place) => nameOf(place).includes(bench.rows));
    if (wanted.length === 0) throw new UsageError(`--rows: none has "${bench.rows}" in its name`);
    const results: Result[] = [];
    for (const place of wanted) results.push(...(await measurePlace(bench, place)));
    return results;
  },
};

function nameOf({ packages = tiny, what }: Place): string {
  return `${packages.what}, ${what}`;
}

async function measurePlace(bench: Bench, place: Place): Promise<Result[]> {
  const [ours, bare]: [Spans[], Spans[]] = [[], []];
  const phases = new Map<string, number[]>();
  const { what, packages = tiny, policy, isSoft = false, target } = place;
  const machine = await place.make(await packages.layer());
  try {
    await machine.write('/etc/offline-update/config.d/50-bench.toml', policy);
    await machine.start();
    await machine.exec(makeWarmStart);
    await machine.exec('offline-update prepare --no-refresh');
    if (!isSoft) await machine.exec('offline-update trigger --no-rehearse --action reboot');
    await machine.stop();
    await machine.remember();
    for (let run = 0; run < bench.runs; run += 1) {
      const turns = [
        async () => ours.push(await oursOnce(machine, phases, isSoft)),
        async () => bare.push(await bareOnce(machine, packages, isSoft)),
      ];
      for (const turn of shuffled(turns, bench.random)) await turn();
      const last = [ours, bare].map((spans) => spans.at(-1)?.fromSysinit.toFixed(3) ?? '');
      bench.say(`${nameOf(place)}, run ${run + 1}: ours ${last[0]} s, bare ${last[1]} s`);
    }
  } finally {
    await machine.dispose();
  }
  const rowOf = (from: string, span: keyof Spans): Result => {
    const valuesOf = (spans: readonly Spans[]): number[] => spans.map((each) => each[span] ?? NaN);
    return {
      what: `update boot, ${packages.what}, ${from} to the reboot request, ${what}`,
      unit: 's',
      ours: valuesOf(ours),
      peer: { name: 'bare shell service, same `apt-get`', values: valuesOf(bare) },
    };
  };
  return [
    { ...rowOf('sysinit.target', 'fromSysinit'), ...(target && { target }) },
    ...[...phases].map(([phase, each]): Result => ({ what: `– of it, ${phase}`, unit: 's', ours: each })),
    ...(isSoft ? [] : [rowOf('first word of PID 1, before the generators,', 'fromFirstWord')]),
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

async function oursOnce(machine: Rewindable, phases: Map<string, number[]>, isSoft: boolean): Promise<Spans> {
  await machine.restore();
  const spans = isSoft
    ? await softlyOnce(machine, 'offline-update trigger --no-rehearse')
    : await bootOnce(machine);
  const known = await phasesOf(machine);
  // what is left is the start of Node.js, the claim, and the way out
  const rest = spans.fromSysinit - Object.values(known).reduce((sum, each) => sum + each, 0);
  for (const [phase, value] of Object.entries({ ...known, 'start, claim, records and way out': rest })) {
    phases.set(phase, [...(phases.get(phase) ?? []), value]);
  }
  return spans;
}

async function bareOnce(machine: Rewindable, { version }: Packages, isSoft: boolean): Promise<Spans> {
  await machine.restore();
  await makeBare(machine);
  const arm = 'ln -s /var/lib/system-update /system-update';
  const spans = isSoft ? await softlyOnce(machine, arm) : await bootOnce(machine);
  const query = "dpkg-query --show --showformat='${db:Status-Abbrev}${Version}\\n'";
  const { stdout } = await machine.run(`${query} | grep -c '^ii .*${version}'`, { check: false });
  if (Number(stdout) < packageCount) throw new Error(`the bare service installed ${stdout.trim()} packages`);
  return spans;
}

/** `arm`: the command that does. It is up again afterwards, and then off. */
async function softlyOnce(machine: Machine, arm: string): Promise<Spans> {
  await machine.start({ timeoutSeconds });
  await machine.exec(arm, { timeoutSeconds });
  const { askedSeconds } = await goAndComeBack(machine, 'soft-reboot', timeoutSeconds);
  await machine.stop();
  return { fromSysinit: fromSysinitAfter(await machine.journal(), askedSeconds) };
}

async function bootOnce(machine: Machine): Promise<UpdateBootSpans> {
  let firstWordSeconds: number | undefined;
  const record = await machine.boot({
    timeoutSeconds,
    onConsole(line) {
      if (firstWord.test(line)) firstWordSeconds ??= monotonicSeconds();
    },
  });
  return updateBootSpans(record, await machine.journal(), firstWordSeconds);
}
