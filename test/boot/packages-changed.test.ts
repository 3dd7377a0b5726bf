/** Other runs of apt beside a prepared update: the hook of the installed package, on real machines. */
import { readFile, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { messageIds } from '../../src/update/message-ids.js';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import { debOf, type CommandOutput, type Machine } from '../laboratory/laboratory.js';
import { armedMachine, installedMachine, isBackToNormal, statusOf, versionsOf } from './installed.js';

const besides = debOf({ name: 'lab-beside', version: '1.0' });
const packages = ['lab-good'];

const putBeside = (machine: Machine) => writeFile(machine.path(`/srv/${besides.fileName}`), besides.content);

const arm = 'offline-update prepare --no-refresh && offline-update trigger --no-rehearse';

/** A running machine in which an update is armed, and a further package is at hand. */
async function runningArmed(t: Test): Promise<Machine> {
  const machine = await installedMachine(t, packages);
  await machine.write('/etc/offline-update/config.d/50-test.toml', 'withoutSnapshots = "resume"\n');
  await putBeside(machine);
  await machine.start();
  await machine.exec(arm);
  return machine;
}

/** One that is off. */
async function offArmed(t: Test): Promise<Machine> {
  const machine = await armedMachine(t, { packages });
  await putBeside(machine);
  return machine;
}

const install = `apt-get install --quiet=2 --yes /srv/${besides.fileName}`;
const told = /^offline-update: packages were changed, the prepared offline update no longer fits/m;

function apt(machine: Machine, line: string): Promise<CommandOutput> {
  return machine.exec(line, { check: false, env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

async function becomesStale(machine: Machine): Promise<void> {
  await machine.container.waitForLine('/var/lib/offline-update/updates/*/journal.jsonl', (line) =>
    line.includes('"event":"stale"'),
  );
  await machine.exec('systemctl start offline-update-stale.service'); // resolves when the one at work has ended
}

void t.test('an update that is over is no longer judged, though its plan is still there', async (t) => {
  const machine = await offArmed(t);
  await machine.run(`dpkg --install /srv/${besides.fileName}`); // past the hook
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'refused');
  t.ok(machine.exists('/var/lib/system-update/plan.json'));
  const run = await apt(machine, `${install} --reinstall`);
  t.equal(run.exitCode, 0);
  t.notMatch(run.stderr, /offline-update/);
  const { stdout } = await machine.exec('journalctl --quiet --no-pager --unit=offline-update-stale.service');
  t.equal(stdout, '', 'nor is anything started for it');
});

void t.test('a package that apt installs makes an armed update stale, which is told at once', async (t) => {
  const machine = await runningArmed(t);
  const { id } = await statusOf(machine);

  const inImage = await apt(machine, `SYSTEMD_OFFLINE=1 ${install} && apt-get purge -y -qq lab-beside`);
  t.equal(inImage.exitCode, 0);
  t.notMatch(inImage.stderr, told, 'a run that leaves the packages as they were changes nothing');
  t.ok(machine.exists('/system-update'));

  const run = await apt(machine, install);
  t.equal(run.exitCode, 0);
  t.match(run.stderr, told);
  t.match(run.stderr, 'and was disarmed\n  next: offline-update status\n');
  t.notOk(machine.exists('/system-update'), 'disarmed when apt returns');
  await becomesStale(machine);
  t.match(await statusOf(machine), {
    state: 'stale',
    reason: { code: 'DRIFT', message: /it is no longer armed$/ },
    contradictions: [],
    next: 'offline-update prepare',
  });
  const entry = `journalctl --no-pager -o cat MESSAGE_ID=${messageIds.stale} OFFLINE_UPDATE_ID=${id ?? ''}`;
  t.match((await machine.exec(entry)).stdout, /: stale: packages were installed, /);
  t.match(await machine.read('/var/lib/offline-update/motd'), 'no longer fits the system');

  const again = await apt(machine, 'apt-get remove --quiet=2 --yes lab-beside');
  t.equal(again.exitCode, 0);
  t.notMatch(again.stderr, /offline-update/, 'once');

  await machine.exec(arm);
  await machine.stop();
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed', "our own run of apt is no other's");
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0' });
});

void t.test(
  'while another verb is at work, apt does not wait for it; the update is disarmed after it',
  async (t) => {
    const machine = await runningArmed(t);
    await machine.exec(
      `flock /run/offline-update/lock sh -c 'mkdir -p /run/lab; echo 1 >/run/lab/held; until [ -e /run/lab/go ]; do sleep 0.05; done' </dev/null >/dev/null 2>&1 &`,
    );
    await machine.container.waitForLine('/run/lab/held', () => true);
    const run = await apt(machine, install);
    t.equal(run.exitCode, 0);
    t.match(run.stderr, told);
    t.ok(machine.exists('/system-update'), 'what somebody works on is left alone');
    await machine.exec('touch /run/lab/go');
    await becomesStale(machine);
    t.notOk(machine.exists('/system-update'));
  },
);

void t.test(
  'apt does not fail where offline-update is broken, and the update is disarmed all the same',
  async (t) => {
    const machine = await runningArmed(t);
    await machine.exec('mv /usr/bin/node /usr/bin/node.away');
    const run = await apt(machine, install);
    t.equal(run.exitCode, 0);
    t.match(run.stderr, told);
    t.notOk(machine.exists('/system-update'), 'without Node');
    await machine.exec('mv /usr/bin/node.away /usr/bin/node');
    await machine.stop();
    const boots = await machine.bootUntilSettled();
    t.equal(boots.length, 1, 'the next boot is an ordinary one');
    await isBackToNormal(t, machine, boots);
    t.match(await statusOf(machine), { state: 'stale', reason: { code: 'DRIFT' } });

    const hook = '/usr/lib/offline-update/packages-changed';
    await machine.exec(['offline-update', 'prepare', '--no-refresh']);
    for (const broken of [
      `printf '#!/nowhere\\n' >${hook}`,
      `printf '#!/bin/sh\\nkill -9 $$\\n' >${hook}`,
      `rm ${hook}`,
    ]) {
      const { exitCode } = await apt(machine, `${broken}; ${install} && apt-get purge -y -qq lab-beside`);
      t.equal(exitCode, 0, broken);
    }
  },
);

void t.test('where no systemd runs, the next boot is an ordinary one and writes it down', async (t) => {
  const machine = await offArmed(t);
  const run = await machine.run(install);
  t.match(run.stderr, told);
  t.notOk(machine.exists('/system-update'));
  const boots = await machine.bootUntilSettled();
  t.equal(boots.length, 1);
  await isBackToNormal(t, machine, boots);
  t.match(await statusOf(machine), { state: 'stale', reason: { code: 'DRIFT' } });
});

void t.test('invariant 1: another tool’s link is left alone by the hook', async (t) => {
  const machine = await offArmed(t);
  await machine.link('/var/lib/elsewhere', '/etc/system-update');
  await machine.run(install);
  t.notOk(machine.exists('/system-update'));
  t.ok(machine.exists('/etc/system-update'));
});

void t.test(
  'offline-update itself may be installed again and removed, and apt goes on without it',
  async (t) => {
    const machine = await offArmed(t);
    await writeFile(machine.path('/srv/offline-update.deb'), await readFile(packageUnderTest()));
    const again = await machine.run('apt-get install --quiet=2 --yes --reinstall /srv/offline-update.deb');
    t.notMatch(again.stderr, told, 'the same version changes nothing');
    const removed = await machine.run('apt-get remove --quiet=2 --yes offline-update');
    t.notMatch(removed.stderr, told, 'its removal has taken the update away');
    t.equal((await machine.run(install)).exitCode, 0, 'apt works with what is left of the package');
  },
);
