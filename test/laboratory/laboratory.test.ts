import { mkdir, rename } from 'node:fs/promises';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import { processStart } from './processes.js';
import type { Machine } from './laboratory.js';
import { command, laboratoryFolder, machineFor, treeDifference } from './laboratory.js';

if (process.getuid?.() !== 0) t.bailout('the boot laboratory needs root');

const updateUnit = `[Unit]
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target
Before=system-update.target shutdown.target
FailureAction=reboot
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/lab-update
`;

/** A machine whose next boot runs `script` in system-update.target. */
async function armedMachine(test: Test, script: string): Promise<Machine> {
  const machine = await machineFor(test);
  await machine.write('/usr/local/sbin/lab-update', `#!/bin/sh\nrm /system-update\n${script}\n`);
  await machine.write('/usr/lib/systemd/system/lab-update.service', updateUnit);
  await machine.link(
    '../lab-update.service',
    '/usr/lib/systemd/system/system-update.target.wants/lab-update.service',
  );
  await machine.link('var/lib/lab', '/system-update');
  return machine;
}

void t.test('a machine left by a killed process is swept away', async (t) => {
  const machines = join(laboratoryFolder(), 'machines');
  const building = join(machines, `${process.pid}-${processStart(process.pid)}-left`);
  const stale = join(machines, `1-0-${process.pid}`);
  await mkdir(join(building, 'storage'), { recursive: true });
  await command(['mount', '-t', 'tmpfs', 'laboratory', join(building, 'storage')]);
  await rename(building, stale);
  await machineFor(t);
  t.equal(existsSync(stale), false);
});

void t.test('a machine runs commands, boots, answers, stops and leaves a journal', async (t) => {
  const machine = await machineFor(t);
  t.strictSame(
    await machine.run('read line; echo "$line $WORD"; exit 3', {
      input: 'in\n',
      env: { WORD: 'env' },
      check: false,
    }),
    {
      exitCode: 3,
      signal: undefined,
      stdout: 'in env\n',
      stderr: '',
    },
  );
  await t.rejects(machine.run(['false']), { name: 'LaboratoryError', message: /ended with 1/ });
  const before = await machine.tree();

  const boot = await machine.start();
  t.equal(boot.systemState, 'running', 'nothing is degraded');
  t.strictSame(
    await machine.exec('env | sort; cat; exit 4', { env: { A: 'b' }, input: 'in\n', check: false }),
    {
      exitCode: 4,
      signal: undefined,
      stdout:
        'A=b\nHOME=/root\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\nTERM=dumb\nin\n',
      stderr: '',
    },
  );
  t.equal((await machine.exec('test -t 1 && stty size', { tty: true })).stdout, '24 80\r\n');
  t.equal((await machine.exec('ls /sys/class/net')).stdout, 'lo\n', 'there is no network');
  await t.rejects(machine.run(['true']), { message: 'the machine is booted: use exec' });
  await machine.exec(['logger', 'said in the laboratory']);
  await machine.stop();

  t.strictSame(treeDifference(before, await machine.tree()), [], 'a boot changes nothing else');
  const said = (await machine.journal({ boot: 0 })).find((row) => row.message === 'said in the laboratory');
  t.ok(said && said.monotonicSeconds > boot.startedSeconds, 'the clocks are the same');
});

void t.test('an update boot ends in a reboot and the next boot is up', async (t) => {
  const machine = await armedMachine(t, 'echo lab: updating; systemctl --no-block reboot');
  const [update, normal, ...more] = await machine.bootUntilSettled();
  t.match([update?.ended, normal?.ended, more], ['reboot', 'up', []]);
  const boots = new Set((await machine.journal()).map((row) => row.bootId));
  t.equal(boots.size, 2);
  const said = (await machine.journal({ boot: 1, unit: 'lab-update.service' })).map((row) => row.message);
  t.ok(said.includes('lab: updating'), 'the journal of one unit in one boot');
  // A command that runs on must not hold the shutdown up.
  const running = machine.exec('echo on > /run/on; sleep infinity', { check: false });
  await machine.container.waitForLine('/run/on', (line) => line === 'on');
  const end = machine.waitForEnd({ timeoutSeconds: 20 });
  await machine.exec(['systemctl', '--no-block', 'reboot']);
  t.equal((await end).ended, 'reboot');
  t.ok([128 + 9, 128 + 15].includes((await running).exitCode ?? 0), 'a signal ended it');
});

void t.test(
  'a boot is killed at a line of a file, at a line of the console, or when its time is up',
  async (t) => {
    const script = 'echo one >> /var/lib/lab.log; echo two >> /var/lib/lab.log; exec sleep infinity';
    const started = await armedMachine(t, script);
    t.equal((await started.boot({ killWhen: { match: /Mounting tmp.mount/ } })).ended, 'killed');
    t.equal(started.exists('/system-update'), true, 'before the update began');
    const machine = await armedMachine(t, script);
    t.equal((await machine.boot({ killWhen: { file: '/var/*/lab.log', match: /^two$/ } })).ended, 'killed');
    t.equal((await machine.start()).ended, 'up', 'the same root boots again');
    await machine.kill();
    const hanging = await armedMachine(t, script);
    t.equal((await hanging.boot({ timeoutSeconds: 1 })).ended, 'timeout');
    t.equal(await hanging.read('/var/lib/lab.log'), 'one\ntwo\n', 'what was written is there');
  },
);

void t.test('after the kill nothing in the machine goes on', async (t) => {
  const machine = await armedMachine(t, 'while :; do echo at work >> /var/lib/lab.log; done');
  let atOnce = Infinity;
  const { ended } = await machine.boot({
    during: async (container) => {
      await container.waitForLine('/var/lib/lab.log', (line) => line === 'at work');
      container.kill();
      atOnce = statSync(machine.path('/var/lib/lab.log')).size;
    },
  });
  t.equal(ended, 'killed');
  const lines = (statSync(machine.path('/var/lib/lab.log')).size - atOnce) / 'at work\n'.length;
  t.ok(lines <= 1, `none but the one that was being written: ${lines}`);
});

void t.test('one process can be killed beside the boot', async (t) => {
  const machine = await armedMachine(t, 'echo begun > /run/lab-begun; exec sleep infinity');
  const boot = await machine.boot({
    during: async (container) => {
      await container.waitForLine('/run/lab-begun', (line) => line === 'begun');
      await container.exec(['systemctl', 'kill', '--signal=KILL', 'lab-update.service']);
    },
  });
  t.equal(boot.ended, 'reboot', 'by FailureAction');
});

void t.test('a soft-reboot is seen inside one boot', async (t) => {
  const machine = await armedMachine(t, 'exec systemctl --no-block soft-reboot');
  const boots = await machine.bootUntilSettled();
  t.match(boots, [{ ended: 'up', softReboots: 1 }]);
});

void t.test('a frozen machine is the ground of others, which do not see each other', async (t) => {
  const first = await machineFor(t);
  await first.write('/etc/lab', 'frozen\n');
  await first.run('mkdir /srv/folder; echo 1 > /srv/folder/file');
  const layer = await first.freeze();
  const [one, other] = [await machineFor(t, layer), await machineFor(t, layer)];
  t.equal(await one.treeHash(), await other.treeHash());
  const before = await one.tree();
  await one.write('/etc/lab', 'changed\n');
  await one.write('/etc/added', '#!/bin/sh\n');
  await one.remove('/etc/hostname');
  await one.run('mv --exchange -T /srv/folder /home; chmod 700 /opt; chmod 600 /etc/hosts');
  t.strictSame(treeDifference(before, await one.tree()), [
    '+ /etc/added',
    '- /etc/hostname',
    '! /etc/hosts',
    '! /etc/lab',
    '+ /home/file',
    '! /opt',
    '- /srv/folder/file',
  ]);
  t.strictSame(treeDifference(before, await other.tree()), []);
  t.strictSame(treeDifference(before, await one.tree({ exclude: [/./] })).length, before.size);
});

void t.test('machines side by side share no control group', async (t) => {
  const machines = [await machineFor(t), await machineFor(t)];
  for (const machine of machines) await machine.start();
  for (const machine of machines) await machine.exec('systemd-run --unit=lab-same sleep infinity');
  const processes =
    'find /sys/fs/cgroup -path "*/lab-same.service/cgroup.procs" -exec cat {} + | sort -u | wc -l';
  for (const machine of machines) t.equal((await machine.exec(processes)).stdout.trim(), '1');
});
