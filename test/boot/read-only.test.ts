import t, { type Test } from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import { installedMachine, isBackAfterOneReboot, isBackToNormal, statusOf, versionsOf } from './installed.js';

/** `/` itself cannot be written, as with a sealed image; where packages and administrators write to, it can. */
const readOnlyRoot = `[Unit]
DefaultDependencies=no
Before=local-fs-pre.target systemd-journal-flush.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec 'for each in /etc /usr /var /srv; do mount --bind $$each $$each; done; mount -o remount,bind,ro /'
`;

async function armed(t: Test, machine: Machine): Promise<void> {
  await machine.write('/etc/systemd/system/lab-read-only.service', readOnlyRoot);
  await machine.link(
    '../lab-read-only.service',
    '/etc/systemd/system/local-fs-pre.target.requires/lab-read-only.service',
  );
  await machine.link(
    '../lab-read-only.service',
    '/etc/systemd/system/sysinit.target.requires/lab-read-only.service',
  );
  await machine.start();
  const { exitCode } = await machine.exec('touch /system-update', { check: false });
  t.not(exitCode, 0, 'the root is really read-only');
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);
  const { stdout } = await machine.exec(['offline-update', 'trigger', '--action', 'reboot', '--json']);
  t.match(JSON.parse(stdout), { state: 'armed', trigger: '/etc/system-update' });
  const status = await statusOf(machine);
  t.match(status, {
    state: 'armed',
    contradictions: [],
    links: [
      { path: '/system-update', link: { kind: 'absent' } },
      { path: '/etc/system-update', link: { kind: 'ours' } },
    ],
  });
  await machine.stop();
}

void t.test('a root that cannot be written is updated by way of /etc/system-update', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await armed(t, machine);
  const boots = await machine.bootUntilSettled();
  await isBackAfterOneReboot(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
});

void t.test('invariant 5: cut short there, it goes on from /etc/system-update.claimed', async (t) => {
  const machine = await installedMachine(t, ['lab-slow']);
  await armed(t, machine);
  const killWhen = { file: '/var/lib/offline-update/updates/*/term.log', match: /Setting up lab-slow/ };
  t.equal((await machine.boot({ killWhen })).ended, 'killed');
  t.ok(machine.exists('/etc/system-update.claimed'));
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, ['lab-slow']), { 'lab-slow': '2.0' });
});
