/**
 * The time away with all that a boot has: firmware, boot loader, kernel and initrd, in QEMU with Debian's own kernel. From
 * the request to the normal target, told by the clock of the machine. A processor is emulated, so that the seconds are
 * many; what a full reboot costs beside an install, and a soft-reboot does not, shows in the ratio.
 */
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DiskLayout } from '../../test/laboratory/disk-image.js';
import { grubImage } from '../../test/laboratory/grub-machine.js';
import { debOf, fixturePackages, tinyPackages } from '../../test/laboratory/laboratory.js';
import { VirtualMachine } from '../../test/laboratory/virtual-machine.js';
import { makeBare, type MachineFiles } from '../bare-service.js';
import { packageUnderBench } from '../bench-machines.js';
import type { Bench, Measurement, Result } from '../measurement.js';

const layout: DiskLayout = { firmware: 'bios', root: 'btrfs', separateBoot: false };
const counts = [1, 100];

const asked = '/var/lib/bench-asked';
const came = '/var/lib/bench-came';
/** Says when the machine is back, and ends it when nothing is left to do. */
const backUnit = `[Unit]
After=multi-user.target
ConditionPathExists=${asked}
[Service]
Type=exec
ExecStart=/bin/sh -c 'date +%%s.%%N >${came}; systemctl is-system-running --wait; systemctl --no-block poweroff'
`;

export const wholeBoots: Measurement = {
  name: 'whole-boots',
  about: 'the time away with firmware, boot loader and kernel (QEMU)',
  onlyByName: true,
  async measure(bench) {
    const results: Result[] = [];
    for (const count of counts) results.push(await measureCount(bench, count));
    return results;
  },
};

async function measureCount(bench: Bench, count: number): Promise<Result> {
  const prepared = await preparedMachine(count);
  const [ours, values]: [number[], number[]] = [[], []];
  try {
    for (let run = 0; run < bench.runs; run += 1) {
      ours.push(await awaySeconds(prepared, count, oursArmed));
      values.push(await awaySeconds(prepared, count, bareArmed));
      const [last, bare] = [ours, values].map((each) => each.at(-1)?.toFixed(1) ?? '');
      bench.say(`${count} packages, run ${run + 1}: ours ${last} s, bare ${bare} s`);
    }
  } finally {
    await prepared.dispose();
  }
  const what = `away, ${count} small package${count === 1 ? '' : 's'}, btrfs, with firmware, boot loader and kernel`;
  return {
    what,
    unit: 's',
    ours,
    peer: { name: 'bare shell service, full reboots', values },
    target: { ratio: count === 1 ? 1 : 0.6 },
  };
}

/** Off, with the plan sealed and nothing armed. */
async function preparedMachine(count: number): Promise<VirtualMachine> {
  const specs = tinyPackages(count).map((name) => fixturePackages.get(name));
  const { image } = await grubImage(layout, {
    installed: specs.flatMap((each) => each?.v1 ?? []).map(debOf),
    offered: specs.flatMap((each) => each?.v2 ?? []).map(debOf),
  });
  const machine = await VirtualMachine.of(image, layout);
  const own = packageUnderBench();
  await machine.files(async (root) => {
    await copyFile(own, join(root, 'srv/own.deb'));
    const files = filesBelow(root);
    await files.write('/etc/systemd/system/bench-back.service', backUnit);
    await files.link(
      '../bench-back.service',
      '/etc/systemd/system/multi-user.target.wants/bench-back.service',
    );
  });
  await machine.start();
  await machine.exec("dpkg --install /srv/own.deb && apt-mark hold 'lab-kernel' >&2; rm /srv/own.deb");
  await machine.exec('offline-update prepare --no-refresh');
  await machine.stop();
  return machine;
}

/** Makes of the machine, which is off, one of its kind; and the script that arms it and asks for the reboot. */
type Side = (files: MachineFiles) => Promise<string>;

const oursArmed: Side = () =>
  Promise.resolve(`offline-update trigger --no-rehearse >&2
${asking('$(cat /var/lib/offline-update/action)')}`);

const bareArmed: Side = async (files) => {
  await makeBare(files);
  return `ln -s /var/lib/system-update /system-update
${asking('reboot')}`;
};

/** A moment later, so that the shell can still answer. */
function asking(verb: string): string {
  const script = `date +%s.%N >${asked}; exec systemctl --no-block ${verb}`;
  return `sync; systemd-run --quiet --on-active=1s --timer-property=AccuracySec=50ms sh -c "${script}"`;
}

async function awaySeconds(prepared: VirtualMachine, count: number, side: Side): Promise<number> {
  const machine = await prepared.copy();
  try {
    const leave = await machine.files((root) => side(filesBelow(root)));
    await machine.start();
    await machine.exec(leave);
    let end = await machine.end();
    for (let boots = 0; end === 'reboot' && boots < maxBoots; boots += 1) {
      const { ended } = await machine.boot();
      end = ended === 'up' ? await machine.end() : ended;
    }
    if (end !== 'poweroff') throw new Error(`it ended with ${end}`);
    return await machine.files(async (root) => {
      const files = filesBelow(root);
      const status = await files.read('/var/lib/dpkg/status');
      const updated = status
        .split('\n\n')
        .filter((stanza) => /^Package: lab-tiny-/.test(stanza) && /^Version: 2\.0$/m.test(stanza));
      if (updated.length !== count) throw new Error(`${updated.length} packages were installed`);
      return Number(await files.read(came)) - Number(await files.read(asked));
    });
  } finally {
    await machine.dispose();
  }
}

const maxBoots = 3;

function filesBelow(root: string): MachineFiles {
  const at = (inside: string): string => join(root, inside);
  return {
    read: (inside) => readFile(at(inside), 'utf8'),
    async write(inside, text) {
      await mkdir(dirname(at(inside)), { recursive: true });
      await writeFile(at(inside), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
    },
    async link(target, inside) {
      await mkdir(dirname(at(inside)), { recursive: true });
      await symlink(target, at(inside));
    },
    remove: (inside) => rm(at(inside), { recursive: true, force: true }),
  };
}
