/** A copy that is put back from an ordinary boot: the update was installed, and the machine is not well with it. */
import t from 'tap';
import { copyMachine, isAsBefore, treeOf } from './copy-machines.js';
import { isBackAfterOneReboot, isBackToNormal, statusOf, versionsOf } from './installed.js';

const packages = ['lab-conffile', 'lab-library'];
const check = '/etc/offline-update/health.d/required.d/10-old-library';

void t.test(
  'unhealthy after the update: the copy is put back in one update boot, and the record says why',
  async (t) => {
    const machine = await copyMachine(t, { packages });
    await machine.write(
      check,
      '#!/bin/sh\necho "the library is new"\ngrep -q 1.0 /usr/share/lab-library/version\n',
    );
    const before = await treeOf(machine);
    const boots = await machine.bootUntilSettled({ maxBoots: 5 });
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['reboot', 'reboot', 'reboot', 'up'],
      'update, verdict, the copy is put back, the old system',
    );
    await isBackToNormal(t, machine, boots);
    t.match(await statusOf(machine), {
      state: 'reverted',
      reason: { code: 'HEALTH_FAILED', message: /the library is new/ },
    });
    t.strictSame(await versionsOf(machine, packages), { 'lab-conffile': '1.0', 'lab-library': '1.0' });
    await isAsBefore(t, machine, before);
  },
);

void t.test(
  'unhealthy, and a boot is led past the copy: no verdict in it, every verb says so, and the next boot puts it back',
  async (t) => {
    const machine = await copyMachine(t, { packages });
    await machine.write(check, '#!/bin/sh\ngrep -q 1.0 /usr/share/lab-library/version\n');
    const before = await treeOf(machine);
    t.equal((await machine.boot()).ended, 'reboot', 'the update');
    t.equal((await machine.boot()).ended, 'reboot', 'the verdict');

    await machine.start({ words: ['systemd.unit=multi-user.target'] });
    await machine.exec('systemctl is-system-running --wait', { check: false });
    t.match(await statusOf(machine), {
      state: 'installed',
      otherRootNext: true,
      contradictions: ['the next boot puts back a copy, since the machine is not healthy after the update'],
      next: 'systemctl reboot',
    });
    for (const words of ['cancel', 'clean', 'prepare --no-refresh', 'trigger', 'rollback --yes']) {
      const { exitCode, stderr } = await machine.exec(`offline-update ${words}`, { check: false });
      t.not(exitCode, 0, words);
      t.match(stderr, /next boot [^]*\n {2}next: systemctl reboot\n$/);
    }
    t.equal((await machine.exec('systemctl is-failed offline-update-confirm.service')).stdout, 'failed\n');
    const { stdout } = await machine.exec('journalctl -b -o cat -u offline-update-confirm.service');
    t.match(stdout, /HEALTH_FAILED: .*10-old-library.*; the machine goes back to the state before\n/);
    await machine.stop();

    const boots = await machine.bootUntilSettled();
    await isBackAfterOneReboot(t, machine, boots);
    t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'HEALTH_FAILED' } });
    await isAsBefore(t, machine, before);
  },
);
