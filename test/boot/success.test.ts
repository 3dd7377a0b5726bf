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
