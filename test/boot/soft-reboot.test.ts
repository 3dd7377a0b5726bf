import t, { type Test } from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import { installedMachine, isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
const packages = ['lab-good'];

/** Prepared and, with `--action auto --now`, on its way into the update boot. */
async function onItsWay(t: Test, before?: (machine: Machine) => Promise<unknown>): Promise<Machine> {
  const machine = await installedMachine(t, packages);
  await before?.(machine);
  await machine.start();
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);
  const { stdout } = await machine.exec([
    'offline-update',
    'trigger',
    '--no-rehearse',
    '--action',
    'auto',
    '--json',
  ]);
  t.match(JSON.parse(stdout), {
    action: 'soft-reboot',
    because: 'nothing changes that a kernel, boot loader or initramfs reads',
  });
  // `--now` would end the command in the midst of its answer.
  await machine.exec(['systemctl', '--no-block', 'soft-reboot']);
  return machine;
}

void t.test('a soft-reboot on both legs: one kernel from the trigger to the confirmation', async (t) => {
  const machine = await onItsWay(t);
  await machine.container.waitForLine(journal, (line) => line.includes('"event":"confirmed"'));
  const { console: lines } = machine.container;
  t.equal(lines.filter((line) => line.startsWith('Welcome to ')).length, 3, 'systemd started three times');
  await machine.exec('systemctl is-system-running --wait', { check: false });
  await isBackToNormal(t, machine, [
    { ended: 'up', seconds: 0, console: [], softReboots: 2, startedSeconds: 0 },
  ]);
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0' });
  const { id, state } = await statusOf(machine);
  t.equal(state, 'confirmed');
  t.match(await reportOf(machine, id ?? ''), { action: 'soft-reboot', actionBecause: String, attempts: 1 });
  // /run is the one of the first boot: nothing in it may mislead a second update, or an ordinary boot.
  const { stdout } = await machine.exec('ls -A /run/offline-update; cat /run/offline-update/status.json', {
    check: false,
  });
  t.notMatch(stdout, /update-boot|fallback-armed|"installing"/);
});

void t.test('what changed that no package name told of makes it a full reboot', async (t) => {
  const machine = await onItsWay(t, (installed) =>
    installed.write(
      '/etc/offline-update/after-install.d/10-fstab',
      '#!/bin/sh\necho "# new" >> /etc/fstab\n',
    ),
  );
  const { ended } = await machine.waitForEnd();
  t.equal(ended, 'reboot');
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  const { id } = await statusOf(machine);
  t.match(await reportOf(machine, id ?? ''), {
    state: 'confirmed',
    action: 'reboot',
    actionBecause: 'a soft-reboot is not enough: /etc/fstab changed',
  });
});
