import t from 'tap';
import { tinyPackages } from '../laboratory/laboratory.js';
import { armedMachine, isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

void t.test('one package: armed, rebooted, installed, confirmed', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  t.ok(machine.exists('/system-update'), 'the trigger is there');
  const boots = await machine.bootUntilSettled();
  t.strictSame(
    boots.map(({ ended }) => ended),
    ['reboot', 'up'],
    'one update boot, then the normal one',
  );
  await isBackToNormal(t, machine, boots);
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
  const status = await statusOf(machine);
  t.equal(status.state, 'confirmed');
  const report = await reportOf(machine, status.id ?? '');
  t.match(report, { state: 'confirmed', attempts: 1, action: 'reboot', conffiles: [] });
  t.notOk(machine.exists('/var/lib/system-update'), 'the stage is dropped once confirmed');
});

void t.test('a hundred packages', async (t) => {
  const packages = tinyPackages(100);
  const machine = await armedMachine(t, { packages });
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.strictSame(
    await versionsOf(machine, packages),
    Object.fromEntries(packages.map((name) => [name, '2.0'])),
  );
  t.equal((await statusOf(machine)).state, 'confirmed');
});

void t.test('invariant 8: once armed, neither network nor package sources are needed', async (t) => {
  const packages = ['lab-needs-more', 'lab-epoch', 'lab-library', 'lab-program'];
  const machine = await armedMachine(t, { packages });
  // The laboratory's machines have no network at all; this takes the rest away.
  await machine.run('rm -r /srv/repository /etc/apt/sources.list.d /var/lib/apt/lists /var/cache/apt');
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, [...packages, 'lab-more']), {
    'lab-needs-more': '2.0',
    'lab-epoch': '1:2.0-1+b1',
    'lab-library': '2.0',
    'lab-program': '2.0',
    'lab-more': '2.0',
  });
  const { stdout: automatic } = await machine.exec('apt-mark showauto');
  t.match(automatic, /^lab-more$/m, 'what was only pulled in is still known as automatic');
});
