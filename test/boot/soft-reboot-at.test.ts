/** A time with a soft-reboot, as somebody wished: /run stays, and with it what logind had scheduled. */
import t from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import { installedMachine, isBackSoftly, journalFiles, reportOf, statusOf, versionsOf } from './installed.js';

/** Starts the machine, and gives its update a time with a soft-reboot; resolves with what the trigger said. */
async function softlyInThreeSeconds(machine: Machine): Promise<unknown> {
  await machine.write(
    '/etc/offline-update/config.d/10-laboratory.toml',
    'withoutSnapshots = "resume"\nrehearse = false\nnoticeSeconds = 3\n',
  );
  await machine.start();
  await machine.exec('offline-update prepare --no-refresh');
  const words = ['offline-update', 'trigger', '--at', '+3s', '--action', 'soft-reboot', '--json'];
  return JSON.parse((await machine.exec(words)).stdout);
}

void t.test(
  'a soft-reboot at its time: into the update, out of it, confirmed, and no other one',
  async (t) => {
    const machine = await installedMachine(t, ['lab-good']);
    t.match(await softlyInThreeSeconds(machine), { state: 'armed', attended: { outcome: 'leaving' } });
    t.match(await statusOf(machine), { reboot: { type: 'soft-reboot' } });
    await isBackSoftly(t, machine);
    t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
    const { id } = await statusOf(machine);
    t.match(await reportOf(machine, id ?? ''), { state: 'confirmed', attempts: 1, action: 'soft-reboot' });
    t.notOk(machine.exists('/run/systemd/shutdown/scheduled'), 'nothing is left that would be done again');
  },
);

void t.test(
  'one whose update boot cannot claim the trigger is made once: the machine stays up, and nothing is armed',
  async (t) => {
    const machine = await installedMachine(t, ['lab-good']);
    // As in crash.test.ts: the rename and the removal of the link fail.
    await machine.run('mv /usr/bin/mv /usr/bin/mv.real; mv.real /usr/bin/rm /usr/bin/rm.real');
    for (const name of ['mv', 'rm']) {
      await machine.write(
        `/usr/bin/${name}`,
        `#!/bin/sh\ncase $* in *system-update*) exit 1 ;; esac\nexec ${name}.real "$@"\n`,
      );
    }
    t.match(await softlyInThreeSeconds(machine), { state: 'armed' });
    const { container } = machine;
    await container.waitForLine(journalFiles, (line) => line.includes('"note":"put-off"'));
    t.equal(container.console.filter((line) => line.startsWith('Welcome to ')).length, 2, 'one soft-reboot');
    t.match(await statusOf(machine), { state: 'prepared', putOff: { reason: { code: 'REBOOT_WITHDRAWN' } } });
    t.notOk(machine.exists('/system-update'));
    t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
  },
);
