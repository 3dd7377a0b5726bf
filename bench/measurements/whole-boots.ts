/**
 * The time away with all that a boot has: firmware, boot loader, kernel and initrd, in QEMU with Debian's own kernel. From
 * the request to the normal target, told by the clock of the machine. A processor is emulated, so that the seconds are
 * many; what a full reboot costs beside an install, and a soft-reboot does not, shows in the ratio.
 *
 * Ours and two others that install offline, as they are dressed for `bench -- peers`: for each an image in which its update
 * is fetched and nothing armed; each turn is a copy of it, which is armed in one boot and leaves it.
 */
import { copyFile } from 'node:fs/promises';
import type { DiskLayout } from '../../test/laboratory/disk-image.js';
import { grubImage } from '../../test/laboratory/grub-machine.js';
import { kernelPackage } from '../../test/laboratory/kernel-layer.js';
import {
  debOf,
  fixturePackages,
  readJournal,
  RootFiles,
  tinyPackages,
  version2Debs,
} from '../../test/laboratory/laboratory.js';
import { VirtualMachine } from '../../test/laboratory/virtual-machine.js';
import { packageUnderBench } from '../bench-machines.js';
import type { Bench, Measurement, Result } from '../measurement.js';
import { candidateNamed, type Candidate } from '../peers/candidates.js';
import { titleOf } from '../peers/scenarios.js';
import { mostAway } from '../peers/targets.js';
import { shuffled } from '../turn-order.js';

const layout: DiskLayout = { firmware: 'bios', root: 'btrfs', separateBoot: false };
const usualSizes = [1, 100];
const ours = candidateNamed('ours');
const others = ['bare', 'packagekit'].map(candidateNamed);

/** Seconds. */
interface Turn {
  away: number;
  installing: number;
}

export const wholeBoots: Measurement = {
  name: 'whole-boots',
  about: 'the time away with firmware, boot loader and kernel (QEMU)',
  onlyByName: true,
  takesSizes: true,
  drawsTurns: true,
  async measure(bench) {
    const results: Result[] = [];
    for (const size of bench.sizes ?? usualSizes) results.push(...(await measureSize(bench, size)));
    return results;
  },
};

async function measureSize(bench: Bench, size: number): Promise<Result[]> {
  const all = [ours, ...others].map((candidate) => ({ candidate, turns: [] as Turn[] }));
  const images = await preparedMachines(
    all.map(({ candidate }) => candidate),
    size,
  );
  try {
    for (let run = 1; run <= bench.runs; run += 1) {
      for (const { candidate, turns } of shuffled(all, bench.random)) {
        const turn = await takeTurn(images, candidate, size);
        turns.push(turn);
        const [away, installing] = [turn.away, turn.installing].map((seconds) => seconds.toFixed(1));
        bench.say(
          `${titleOf(String(size))}, run ${run}, ${candidate.name}: away ${away} s, installing ${installing} s`,
        );
      }
    }
  } finally {
    for (const machine of images.values()) await machine.dispose();
  }
  const turnsOf = (wanted: Candidate): Turn[] =>
    all.find(({ candidate }) => candidate === wanted)?.turns ?? [];
  return (['away', 'installing'] as const).flatMap((measured) =>
    others.map((other): Result => {
      const most = measured === 'away' ? mostAway(String(size), other.name) : undefined;
      return {
        what: `${measured}, ${titleOf(String(size))}, btrfs, with firmware, boot loader and kernel`,
        unit: 's',
        ours: turnsOf(ours).map((turn) => turn[measured]),
        peer: { name: other.title, values: turnsOf(other).map((turn) => turn[measured]) },
        ...(most !== undefined && { target: { ratio: most } }),
      };
    }),
  );
}

type Images = ReadonlyMap<Candidate, VirtualMachine>;

/** Off, each with its update fetched and nothing armed, of one image. */
async function preparedMachines(candidates: readonly Candidate[], size: number): Promise<Images> {
  const images = new Map<Candidate, VirtualMachine>();
  const everybodys = await everybodysMachine(size);
  try {
    for (const candidate of candidates) {
      const machine = await everybodys.copy();
      images.set(candidate, machine);
      await machine.files((root) => candidate.dress(new RootFiles(root)));
      await machine.start();
      if (candidate.needsNetwork) await machine.exec(network);
      await candidate.fetch(machine);
      await machine.stop();
    }
    return images;
  } catch (error) {
    for (const machine of images.values()) await machine.dispose();
    throw error;
  } finally {
    await everybodys.dispose();
  }
}

/** The machine has no card; where a packet would go is all that is looked at. */
const network = 'ip route add default dev lo';

const asked = '/var/lib/bench-asked';
const came = '/var/lib/bench-came';
const back = '/etc/systemd/system/bench-back.service';
/** Says when the machine is back, and ends it when nothing is left to do. */
const backUnit = `[Unit]
After=multi-user.target
ConditionPathExists=${asked}
[Service]
Type=exec
ExecStart=/bin/sh -c 'date +%%s.%%N >${came}; systemctl is-system-running --wait; systemctl --no-block poweroff'
`;
/** A new kernel is offered in that image; nobody shall install it. */
const withoutKernel = `Package: ${kernelPackage}
Pin: version 2.0
Pin-Priority: -1
`;

/** Off; has all who take part, the old version of the packages, and knows of the new one. */
async function everybodysMachine(size: number): Promise<VirtualMachine> {
  const names = tinyPackages(size);
  const { image } = await grubImage(layout, {
    installed: names.flatMap((name) => fixturePackages.get(name)?.v1 ?? []).map(debOf),
    offered: version2Debs(names),
    tools: ['packagekit', 'packagekit-tools', 'iproute2'],
  });
  const machine = await VirtualMachine.of(image, layout);
  try {
    await machine.files(async (root) => {
      const files = new RootFiles(root);
      await copyFile(packageUnderBench(), files.path('/srv/own.deb'));
      await files.write('/etc/apt/preferences.d/bench', withoutKernel);
      await files.write(back, backUnit);
      await files.link(
        '../bench-back.service',
        '/etc/systemd/system/multi-user.target.wants/bench-back.service',
      );
    });
    await machine.start();
    await machine.exec('dpkg --install /srv/own.deb >&2 && rm /srv/own.deb');
    await machine.stop();
    return machine;
  } catch (error) {
    await machine.dispose();
    throw error;
  }
}

async function takeTurn(images: Images, candidate: Candidate, size: number): Promise<Turn> {
  const machine = await images.get(candidate)?.copy();
  if (!machine) throw new Error(`there is no image for ${candidate.name}`);
  try {
    await machine.start();
    const verb = await candidate.arm(machine);
    if (verb === undefined) throw new Error(`${candidate.name} has no update boot`);
    await machine.exec(asking(verb));
    let end = await machine.end();
    for (let boots = 0; end === 'reboot' && boots < maxBoots; boots += 1) {
      const { ended } = await machine.boot();
      end = ended === 'up' ? await machine.end() : ended;
    }
    if (end !== 'poweroff') throw new Error(`${candidate.name} ended with ${end}`);
    return await machine.files((root) => readTurn(new RootFiles(root), candidate, size));
  } finally {
    await machine.dispose();
  }
}

const maxBoots = 3;

/** A moment later, so that the shell can still answer. */
function asking(verb: string): string {
  const script = `date +%s.%N >${asked}; exec systemctl --no-block ${verb}`;
  return `sync; systemd-run --quiet --on-active=1s --timer-property=AccuracySec=50ms sh -c "${script}"`;
}

async function readTurn(files: RootFiles, candidate: Candidate, size: number): Promise<Turn> {
  const status = await files.read('/var/lib/dpkg/status');
  const updated = status
    .split('\n\n')
    .filter(
      (stanza) =>
        /^Package: lab-tiny-/.test(stanza) &&
        /^Status: install ok installed$/m.test(stanza) &&
        /^Version: 2\.0$/m.test(stanza),
    );
  if (updated.length !== size) throw new Error(`${candidate.name} installed ${updated.length} packages`);
  const rows = await readJournal(files.path('/var/log/journal'), {});
  return {
    away: Number(await files.read(came)) - Number(await files.read(asked)),
    installing: await candidate.installSeconds(files, rows),
  };
}
