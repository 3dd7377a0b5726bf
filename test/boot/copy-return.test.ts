/** A copy that is put back from an ordinary boot: the update was installed, and the machine is not well with it. */
import t from 'tap';
import { copyMachine, isAsBefore, treeOf } from './copy-machines.js';
import { isBackToNormal, statusOf, versionsOf } from './installed.js';

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
