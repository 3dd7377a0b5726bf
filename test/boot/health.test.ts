/** After the update: a healthy machine is confirmed, an unhealthy one goes back, once (docs/health.md). */
import { writeFile } from 'node:fs/promises';
import t from 'tap';
import {
  debOf,
  treeDifference,
  type BootRecord,
  type CommandOutput,
  type Machine,
} from '../laboratory/laboratory.js';
import { armedBtrfsMachine, treeOf } from './btrfs-machines.js';
import { armedMachine, isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const packages = ['lab-good'];
const required = '/etc/offline-update/health.d/required.d';
const wanted = '/etc/offline-update/health.d/wanted.d';
const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
const isNew = 'dpkg-query --show --showformat="\\${Version}" lab-good | grep -q 2.0';
const ends = (boots: readonly BootRecord[]) => boots.map(({ ended }) => ended);

interface Checked {
  check: string;
  outcome: string;
  message: string;
}

/** What root alone may read. */
const logOf = async (machine: Machine): Promise<string> =>
  (await machine.exec(['offline-update', 'log'])).stdout;

async function healthOf(machine: Machine): Promise<Checked[]> {
  const { id } = await statusOf(machine);
  return (await reportOf(machine, id ?? ''))['health'] as Checked[];
}

/** Of the checks that come with the product, when all is well. */
const allPassed = ['boot', 'units', 'network', 'packages'].map((check) => ({ check, outcome: 'passed' }));

/** A unit that is started in each boot, and fails or hangs as `line` says. */
async function addUnit(machine: Machine, name: string, line: string): Promise<void> {
  await machine.write(`/usr/local/sbin/${name}`, `#!/bin/sh\n${line}\n`);
  const text = `[Service]\nType=oneshot\nExecStart=/usr/local/sbin/${name}\n`;
  await machine.write(`/etc/systemd/system/${name}`, text);
  await machine.link(`../${name}`, `/etc/systemd/system/multi-user.target.wants/${name}`);
}

async function prepareAgain(machine: Machine, ...words: string[]): Promise<CommandOutput> {
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);
  return machine.exec(['offline-update', 'trigger', '--no-rehearse', ...words], { check: false });
}

void t.test(
  'a required check that fails: back to the old root, once, with its words in the record, and not armed again',
  async (t) => {
    const machine = await armedBtrfsMachine(t, { packages });
    // the confirmation starts behind the boot; its checks do not
    await machine.write(`${required}/10-passes`, '#!/bin/sh\n[ "$(nice)" = 0 ]\n');
    await machine.write(
      `${required}/20-database`,
      `#!/bin/sh\n${isNew} || exit 0\necho "tables missing"\necho "no answer from the database" >&2\nexit 3\n`,
    );
    const before = await treeOf(machine);
    const boots = await machine.bootUntilSettled();
    t.strictSame(ends(boots), ['reboot', 'reboot', 'up'], 'update, verdict, old root');
    await isBackToNormal(t, machine, boots);
    t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
    const status = await statusOf(machine);
    const message =
      'unhealthy after the update: required.d/20-database: ended with 3: no answer from the database';
    t.match(status, { state: 'reverted', reason: { code: 'HEALTH_FAILED', message } });
    t.match(await healthOf(machine), [
      ...allPassed,
      { check: 'required.d/10-passes', outcome: 'passed' },
      { check: 'required.d/20-database', outcome: 'failed' },
    ]);
    t.match(
      await logOf(machine),
      'the check required.d/20-database, which failed\ntables missing\nno answer from the database',
      'and of what failed all that it printed',
    );
    t.match(await machine.subvolumes(), ['@', /^@\.offline-update-/], 'the failed root is kept');

    const refused = await prepareAgain(machine);
    t.equal(refused.exitCode, 5);
    t.match(refused.stderr, new RegExp(`made by update ${status.id ?? ''}, which was reverted: ${message}`));
    await machine.remove(`${required}/20-database`);
    t.equal((await prepareAgain(machine, '--force')).exitCode, 0, '--force arms it');
    await machine.stop();
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
  },
);

void t.test(
  'a unit that fails with the update and did not before: reverted, and one that always fails is not blamed',
  async (t) => {
    const machine = await armedBtrfsMachine(t, { packages, before: addFailingUnits });
    const boots = await machine.bootUntilSettled();
    t.strictSame(ends(boots), ['reboot', 'reboot', 'up']);
    await isBackToNormal(t, machine, boots);
    t.match(await statusOf(machine), {
      state: 'reverted',
      reason: {
        code: 'HEALTH_FAILED',
        message:
          'unhealthy after the update: units: lab-breaks.service is failed, and was not before the update',
      },
    });
    const [, units] = await healthOf(machine);
    t.match(units, { check: 'units', outcome: 'failed' });
    t.match(await logOf(machine), 'broken by the update', 'its last words, for root alone');
  },
);

void t.test('a boot that hangs with the update is over at the deadline: reverted', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages, config: 'confirmDeadlineSeconds = 2\n' });
  await addUnit(machine, 'lab-hangs.service', `! ${isNew} || sleep infinity`);
  const boots = await machine.bootUntilSettled();
  t.strictSame(ends(boots), ['reboot', 'reboot', 'up']);
  await isBackToNormal(t, machine, boots);
  const message = /boot: after 2 s .*not reached \(systemd is at work on .*lab-hangs\.service/;
  t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'HEALTH_FAILED', message } });
});

void t.test('a network that does not come back in time: reverted', async (t) => {
  const machine = await armedBtrfsMachine(t, {
    packages,
    config: 'confirmDeadlineSeconds = 3\n',
    before: addNetwork,
  });
  t.equal((await machine.boot()).ended, 'reboot');
  await machine.remove('/etc/systemd/network/30-lab0.network');
  const boots = await machine.bootUntilSettled();
  t.strictSame(ends(boots), ['reboot', 'up']);
  await isBackToNormal(t, machine, boots);
  t.match(await statusOf(machine), {
    state: 'reverted',
    reason: {
      message:
        'unhealthy after the update: network: after 3 s no IPv4 default route; ' +
        'after 3 s lab0 has no IPv4 address',
    },
  });
});

for (const step of ['decided', 'switched']) {
  void t.test(`invariant 4: cut when the way back is ${step}, the machine still goes back`, async (t) => {
    const machine = await armedBtrfsMachine(t, { packages });
    await machine.write(`${required}/10-new`, `#!/bin/sh\n! ${isNew}\n`);
    const before = await treeOf(machine);
    t.equal((await machine.boot()).ended, 'reboot');
    const killWhen = { file: journal, match: new RegExp(`"step":"${step}"`) };
    t.equal((await machine.boot({ killWhen })).ended, 'killed');
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'HEALTH_FAILED' } });
    t.strictSame(treeDifference(before, await treeOf(machine)), []);
  });
}

void t.test('a way back that leads to the updated root again is not taken a second time', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages });
  await machine.write(`${required}/10-new`, `#!/bin/sh\n! ${isNew}\n`);
  t.equal((await machine.boot()).ended, 'reboot');
  const killWhen = { file: journal, match: /"step":"switched"/ };
  t.equal((await machine.boot({ killWhen })).ended, 'killed');
  await machine.exchange();
  const boots = await machine.bootUntilSettled();
  t.strictSame(ends(boots), ['up']);
  await isBackToNormal(t, machine, boots);
  t.match(await statusOf(machine), {
    state: 'failed',
    reason: { code: 'HEALTH_FAILED', message: /the fallback was to boot, and the updated root booted again/ },
  });
});

void t.test(
  'without a fallback: failed and up, boot-complete.target is not reached, and nothing is tried again',
  async (t) => {
    const machine = await armedMachine(t, { packages, config: 'withoutSnapshots = "resume"\n' });
    await machine.write(`${required}/10-new`, `#!/bin/sh\necho not well\n! ${isNew}\n`);
    await addBlessing(machine);
    const boots = await machine.bootUntilSettled();
    t.strictSame(ends(boots), ['reboot', 'up']);
    await isBackToNormal(t, machine, boots);
    const reason = {
      code: 'HEALTH_FAILED',
      message: 'unhealthy after the update: required.d/10-new: ended with 1: not well',
    };
    const status = await statusOf(machine);
    t.match(status, { state: 'failed', reason });
    t.notOk(machine.exists('/var/lib/lab-blessed'), 'the boot is not called a good one');
    t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0' });
    await machine.stop();
    t.strictSame(ends(await machine.bootUntilSettled()), ['up']);
    t.match(await statusOf(machine), { state: 'failed', reason });
  },
);

void t.test(
  'what fails before and after, and a wanted check that fails: confirmed, with the warning in the report',
  async (t) => {
    const machine = await armedMachine(t, {
      packages,
      before: (m) => addUnit(m, 'lab-always-fails.service', 'exit 1'),
    });
    await machine.write(`${wanted}/10-backup`, '#!/bin/sh\necho the backup is a week old\nexit 1\n');
    await machine.write('/etc/offline-update/health.d/own', '#!/bin/sh\necho $OFFLINE_UPDATE_ID\n');
    await addBlessing(machine);
    const boots = await machine.bootUntilSettled();
    t.strictSame(ends(boots), ['reboot', 'up']);
    await isBackToNormal(t, machine, boots);
    t.equal((await statusOf(machine)).state, 'confirmed');
    t.match(await healthOf(machine), [
      ...allPassed,
      { check: 'own', outcome: 'passed' },
      { check: 'wanted.d/10-backup', outcome: 'warned', message: 'ended with 1: the backup is a week old' },
    ]);
    t.match(await logOf(machine), /the check own, which passed\n\d{8}T\d{6}-/);
    t.ok(machine.exists('/var/lib/lab-blessed'), 'boot-complete.target is reached');
  },
);

void t.test(
  'a cut, a reboot and the rescue mode before the verdict are no verdict: the next boot confirms',
  async (t) => {
    const machine = await armedMachine(t, { packages });
    const atWork = { file: '/run/lab/checking', match: /./ };
    const check = `${required}/10-waits`;
    await machine.write(
      check,
      '#!/bin/sh\nmkdir -p /run/lab; echo checking >/run/lab/checking\nexec sleep infinity\n',
    );
    t.equal((await machine.boot()).ended, 'reboot');
    t.equal((await machine.boot({ killWhen: atWork })).ended, 'killed');
    const rebooted = await machine.boot({
      during: async (container) => {
        await container.waitForLine(atWork.file, (line) => atWork.match.test(line));
        await container.exec(['systemctl', 'reboot'], { check: false });
      },
    });
    t.equal(rebooted.ended, 'reboot', 'nobody has to wait for the verdict');
    await machine.remove(check);
    const rescue = await machine.bootUntilSettled({ words: ['systemd.unit=rescue.target'] });
    t.strictSame(ends(rescue), ['maintenance']);
    const byHand = await machine.exec('systemctl start offline-update-confirm.service', { check: false });
    t.not(byHand.exitCode, 0);
    t.equal((await statusOf(machine)).state, 'installed');
    await machine.stop();
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
  },
);

void t.test('another package run is waited for, and a newer version than planned is confirmed', async (t) => {
  const machine = await armedMachine(t, { packages });
  const newer = debOf({
    name: 'lab-good',
    version: '3.0',
    scripts: {
      postinst: 'mkdir -p /run/lab; echo 1 >/run/lab/at-work; until [ -e /run/lab/go ]; do sleep 0.05; done',
    },
  });
  await writeFile(machine.path('/srv/newer.deb'), newer.content);
  t.equal((await machine.boot()).ended, 'reboot');
  // Its package manager holds the locks before the confirmation begins, and goes on beside it.
  const begin =
    'dpkg --install /srv/newer.deb >/dev/null 2>&1 & until [ -e /run/lab/at-work ]; do sleep 0.05; done';
  await machine.write(
    '/etc/systemd/system/lab-packages.service',
    `[Unit]\nBefore=offline-update-confirm.service\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c '${begin}'\n`,
  );
  await machine.link(
    '../lab-packages.service',
    '/etc/systemd/system/multi-user.target.wants/lab-packages.service',
  );
  const boot = await machine.start({
    during: async (container) => {
      await container.waitForLine(journal, (line) => line.includes('"check":"network"'));
      await container.exec('touch /run/lab/go');
    },
  });
  await isBackToNormal(t, machine, [boot]);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '3.0' });
});

async function addFailingUnits(machine: Machine): Promise<void> {
  await addUnit(machine, 'lab-always-fails.service', 'exit 1');
  await addUnit(machine, 'lab-breaks.service', `! ${isNew} || { echo broken by the update; exit 1; }`);
}

/** As systemd-bless-boot.service: acts when the boot is called a good one. */
async function addBlessing(machine: Machine): Promise<void> {
  await machine.write(
    '/etc/systemd/system/lab-bless.service',
    '[Unit]\nDefaultDependencies=no\nRequires=boot-complete.target\nAfter=boot-complete.target\n' +
      '[Service]\nType=oneshot\nExecStart=touch /var/lib/lab-blessed\n',
  );
  await machine.link('../lab-bless.service', '/etc/systemd/system/basic.target.wants/lab-bless.service');
}

/** An interface with an address and a default route, made by systemd-networkd. */
async function addNetwork(machine: Machine): Promise<void> {
  const folder = '/etc/systemd/network';
  await machine.write(`${folder}/10-lab.netdev`, '[NetDev]\nName=lab0\nKind=veth\n[Peer]\nName=lab1\n');
  await machine.write(`${folder}/20-lab1.network`, '[Match]\nName=lab1\n[Network]\nLinkLocalAddressing=no\n');
  await machine.write(
    `${folder}/30-lab0.network`,
    '[Match]\nName=lab0\n[Network]\nLinkLocalAddressing=no\nAddress=192.0.2.2/24\nGateway=192.0.2.1\n',
  );
  await machine.run('systemctl enable systemd-networkd.service systemd-networkd-wait-online.service');
}
