/**
 * The update service that waits on the other side of a soft-reboot (docs/speed.md), with Debian's own kernel and nothing but
 * control groups of version 2, which a container does not have on every host.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { grubImage } from '../laboratory/grub-machine.js';
import { debOf, fixturePackages, readJournal, RootFiles } from '../laboratory/laboratory.js';
import { VirtualMachine } from '../laboratory/virtual-machine.js';

const layout: DiskLayout = { firmware: 'bios', root: 'btrfs', separateBoot: false };
const asked = '/var/lib/lab-asked';
/** By its name. */
const kernel = 'linux-image-lab';
/** Ends the machine when it is back and nothing is left to do. */
const backUnit = `[Unit]
After=multi-user.target
ConditionPathExists=${asked}
[Service]
Type=exec
ExecStart=/bin/sh -c 'systemctl is-system-running --wait; systemctl --no-block poweroff'
`;

/** Off, with our package, an old version of lab-good, and what is to be installed on offer. */
async function installedVirtualMachine(t: Test): Promise<VirtualMachine> {
  const good = [fixturePackages.get('lab-good')];
  const { image } = await grubImage(layout, {
    installed: good.flatMap((each) => each?.v1 ?? []).map(debOf),
    offered: [...good.flatMap((each) => each?.v2 ?? []), { name: kernel, version: '1.0' }].map(debOf),
    tools: [],
  });
  const machine = await VirtualMachine.of(image, layout);
  t.teardown(() => machine.dispose());
  await machine.files(async (root) => {
    await copyFile(packageUnderTest(), join(root, 'srv/own.deb'));
    const files = new RootFiles(root);
    await files.write('/etc/systemd/system/lab-back.service', backUnit);
    await files.link('../lab-back.service', '/etc/systemd/system/multi-user.target.wants/lab-back.service');
  });
  return machine;
}

/** Up, and armed; resolves with the process that waits for the soft-reboot. */
async function armed(machine: VirtualMachine, ...names: string[]): Promise<string> {
  await machine.start();
  await machine.exec('dpkg --install /srv/own.deb && rm /srv/own.deb');
  await machine.exec(
    `offline-update prepare --no-refresh ${names.join(' ')} && offline-update trigger --no-rehearse`,
  );
  const { stdout } = await machine.exec(
    'systemctl show --property=MainPID --value offline-update-ahead.service',
  );
  return stdout.trim();
}

/** A moment later, so that the shell can still answer. */
async function softReboot(machine: VirtualMachine): Promise<void> {
  await machine.exec(`touch ${asked}; systemd-run --quiet --on-active=1s systemctl --no-block soft-reboot`);
}

/** Updated and confirmed, by the process that has waited. */
async function isUpdatedBy(t: Test, machine: VirtualMachine, waiting: string): Promise<void> {
  await machine.files(async (root) => {
    const files = new RootFiles(root);
    t.match(
      await files.read('/var/lib/dpkg/status'),
      /^Package: lab-good\nStatus: install ok installed\n(.+\n)*Version: 2\.0$/m,
    );
    const rows = await readJournal(files.path('/var/log/journal'), {});
    const { fields } = rows.find(({ message }) => message.includes('Running apt-get')) ?? { fields: {} };
    t.match(fields, { _PID: waiting, _SYSTEMD_UNIT: 'offline-update.service' });
    t.ok(rows.some(({ message }) => message.includes('confirmed: the machine came back updated')));
  });
}

void t.test('who waited for the update boot is its service', async (t) => {
  const machine = await installedVirtualMachine(t);
  const waiting = await armed(machine, 'lab-good');
  t.match(waiting, /^[1-9]\d+$/);
  t.match((await machine.exec('stat --file-system --format=%T /sys/fs/cgroup')).stdout, /^cgroup2fs/);
  await softReboot(machine);
  t.equal(await machine.end(), 'poweroff', 'in one run of the kernel');
  await isUpdatedBy(t, machine, waiting);
});

void t.test(
  'the same where a kernel changes: a full reboot leads out of the update boot, and it alone',
  async (t) => {
    const machine = await installedVirtualMachine(t);
    const waiting = await armed(machine, 'lab-good', kernel);
    t.match(waiting, /^[1-9]\d+$/);
    await softReboot(machine);
    t.equal(await machine.end(), 'reboot');
    const { ended } = await machine.boot();
    t.equal(ended === 'up' ? await machine.end() : ended, 'poweroff');
    await isUpdatedBy(t, machine, waiting);
  },
);
