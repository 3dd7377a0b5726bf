import t from 'tap';
import { armedMachine, isBackToNormal, statusOf, versionsOf } from './installed.js';

const outcomes = [
  { how: 'success', packages: ['lab-good'], state: 'confirmed', config: '' },
  { how: 'failure', packages: ['lab-good', 'lab-postinst-fails'], state: 'failed', config: '' },
  { how: 'refusal', packages: ['lab-good'], state: 'refused', config: '', tamper: true },
  { how: 'a crash of the service', packages: ['lab-good'], state: 'refused', config: '', crash: true },
];

for (const { how, packages, state, tamper, crash } of outcomes) {
  void t.test(`invariant 11: power-off as the wished end, after ${how}`, async (t) => {
    const machine = await armedMachine(t, { packages, trigger: ['--action', 'poweroff'] });
    if (tamper) await machine.run('echo >> /var/lib/system-update/plan.json');
    if (crash) await machine.run('mv /usr/bin/node /usr/bin/node.away');
    t.equal((await machine.boot()).ended, 'poweroff');
    if (crash) await machine.run('mv /usr/bin/node.away /usr/bin/node');
    const boots = await machine.bootUntilSettled();
    t.equal(boots.length, 1);
    await isBackToNormal(t, machine, boots);
    t.equal((await statusOf(machine)).state, state);
  });

  void t.test(`invariant 11: a soft reboot as the wished end, after ${how}`, async (t) => {
    const machine = await armedMachine(t, { packages, trigger: ['--action', 'soft-reboot'] });
    if (tamper) await machine.run('echo >> /var/lib/system-update/plan.json');
    if (crash) await machine.run('mv /usr/bin/node /usr/bin/node.away');
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended, softReboots }) => [ended, softReboots]),
      [['up', 1]],
    );
    if (crash) {
      // The recover unit had no Node to run with in this boot.
      await machine.exec('mv /usr/bin/node.away /usr/bin/node');
      await machine.exec(['systemctl', 'restart', 'offline-update-recover.service']);
    }
    await isBackToNormal(t, machine, boots);
    t.equal((await statusOf(machine)).state, state);
  });
}

void t.test('the end that was wished for is in the report, and how it was reached', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'], trigger: ['--action', 'reboot'] });
  await machine.bootUntilSettled();
  const { id } = await statusOf(machine);
  const { stdout } = await machine.exec(['offline-update', 'report', id ?? '', '--json']);
  // The bus may be stopped before logind's answer is out: then whoever said yes next is named.
  t.match(JSON.parse(stdout), { action: 'reboot', leftBy: /^(logind|systemctl)$/ });
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
});
