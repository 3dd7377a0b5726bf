/**
 * The update service that waits on the other side of a soft-reboot (docs/speed.md), with Debian's own kernel and nothing but
 * control groups of version 2, which a container does not have on every host.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import type { DiskLayout } from '../laboratory/disk-image.js';
import { grubImage } from '../laboratory/grub-machine.js';
import { debOf, fixturePackages, readJournal, RootFiles } from '../laboratory/laboratory.js';
import { VirtualMachine } from '../laboratory/virtual-machine.js';

const layout: DiskLayout = { firmware: 'bios', root: 'btrfs', separateBoot: false };
const asked = '/var/lib/lab-asked';
/** Ends the machine when it is back and nothing is left to do. */
const backUnit = `[Unit]
After=multi-user.target
ConditionPathExists=${asked}
[Service]
Type=exec
ExecStart=/bin/sh -c 'systemctl is-system-running --wait; systemctl --no-block poweroff'
`;

void t.test('who waited for the update boot is its service', async (t) => {
  const specs = [fixturePackages.get('lab-good')];
  const { image } = await grubImage(layout, {
    installed: specs.flatMap((each) => each?.v1 ?? []).map(debOf),
    offered: specs.flatMap((each) => each?.v2 ?? []).map(debOf),
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
  await machine.start();
  await machine.exec('dpkg --install /srv/own.deb && rm /srv/own.deb');
  t.match((await machine.exec('stat --file-system --format=%T /sys/fs/cgroup')).stdout, /^cgroup2fs/);
  await machine.exec('offline-update prepare --no-refresh lab-good && offline-update trigger --no-rehearse');
  const { stdout } = await machine.exec(
    'systemctl show --property=MainPID --value offline-update-ahead.service',
  );
  const waiting = stdout.trim();
  t.match(waiting, /^[1-9]\d+$/);
  // A moment later, so that the shell can still answer.
  await machine.exec(`touch ${asked}; systemd-run --quiet --on-active=1s systemctl --no-block soft-reboot`);
  t.equal(await machine.end(), 'poweroff', 'in one run of the kernel');
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
});
