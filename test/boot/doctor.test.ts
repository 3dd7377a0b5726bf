import t from 'tap';
import { installedMachine } from './installed.js';

void t.test('doctor asks the real logind, mounts and files of a booted machine', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await machine.link('/nowhere/web.service', '/etc/systemd/system/default.target.wants/web.service');
  await machine.start();
  const quiet = JSON.parse((await machine.exec(['offline-update', 'doctor', '--json'])).stdout) as Doctor;
  t.strictSame(
    quiet.findings.filter(({ severity }) => severity !== 'info').map(({ check }) => check),
    ['default-target-wants'],
  );
  const lock = 'systemd-inhibit --what=shutdown --who=lab --why="a tape is written"';
  const doctor = `${lock} offline-update doctor --json`;
  const { findings } = JSON.parse((await machine.exec(doctor)).stdout) as Doctor;
  t.match(
    findings.find(({ check }) => check === 'inhibitors'),
    { severity: 'warn', evidence: 'lab forbids a shutdown now: a tape is written' },
  );
});

interface Doctor {
  findings: { check: string; severity: string; evidence: string }[];
}
