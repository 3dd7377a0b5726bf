import t from 'tap';
import type { Container } from '../laboratory/laboratory.js';
import { tinyPackages } from '../laboratory/laboratory.js';
import { armedMachine, isBackAfterOneReboot, isBackToNormal, statusOf, versionsOf } from './installed.js';

const packages = ['lab-good', 'lab-slow', ...tinyPackages(20)];
const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));
const terminal = '/var/lib/offline-update/updates/*/term.log';
const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
const inMidInstall = { file: terminal, match: /Unpacking lab-tiny-005/ };
const inTheCheck = { file: journal, match: /"event":"claimed"/ };

/** Sends a signal to the update service once a line stands in a file. */
function signal(name: string, when: typeof inMidInstall) {
  return async (container: Container): Promise<void> => {
    await container.waitForLine(when.file, (line) => when.match.test(line));
    await container.exec(
      ['systemctl', 'kill', '--kill-whom=main', `--signal=${name}`, 'offline-update.service'],
      {
        check: false,
      },
    );
  };
}

for (const name of ['SIGKILL', 'SIGSEGV', 'SIGABRT']) {
  void t.test(
    `invariant 6: the service dies of ${name} in mid-install, dpkg goes on and the rescue finishes`,
    async (t) => {
      const machine = await armedMachine(t, { packages });
      const boots = await machine.bootUntilSettled({ during: signal(name, inMidInstall) });
      await isBackAfterOneReboot(t, machine, boots);
      t.strictSame(await versionsOf(machine, packages), updated);
      t.equal((await statusOf(machine)).state, 'confirmed', 'what is really there is what the record says');
    },
  );
}

void t.test('the service dies before it has changed anything: refused, untouched', async (t) => {
  const machine = await armedMachine(t, { packages });
  const boots = await machine.bootUntilSettled({ during: signal('SIGKILL', inTheCheck) });
  await isBackToNormal(t, machine, boots);
  const { state } = await statusOf(machine);
  const versions = await versionsOf(machine, packages);
  // The signal may come after the install has begun: then it has to be finished. Never something in between.
  if (state === 'refused') t.strictSame(versions, Object.fromEntries(packages.map((each) => [each, '1.0'])));
  else t.strictSame([state, versions], ['confirmed', updated]);
});

void t.test(
  'invariant 10: SIGTERM, Ctrl-Alt-Del and a reboot by somebody else wait for the package manager',
  async (t) => {
    const machine = await armedMachine(t, { packages });
    const boots = await machine.bootUntilSettled({
      during: async (container) => {
        await container.waitForLine(terminal, (line) => inMidInstall.match.test(line));
        await container.exec([
          'systemctl',
          'kill',
          '--signal=SIGTERM',
          '--kill-whom=main',
          'offline-update.service',
        ]);
        await container.signal('SIGINT');
        await container.exec(['systemctl', '--no-block', 'reboot']);
      },
    });
    await isBackToNormal(t, machine, boots);
    t.strictSame(await versionsOf(machine, packages), updated);
    t.equal((await statusOf(machine)).state, 'confirmed');
    const terminalLog = await machine.exec(['offline-update', 'log', (await statusOf(machine)).id ?? '']);
    t.notMatch(terminalLog.stdout, /interrupted|killed/i);
  },
);

void t.test(
  'invariant 6: node cannot be started in the update boot: refused, untouched, one reboot',
  async (t) => {
    const machine = await armedMachine(t, { packages });
    await machine.run('mv /usr/bin/node /usr/bin/node.away');
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['reboot', 'up'],
    );
    t.notOk(machine.exists('/system-update') || machine.exists('/system-update.claimed'), 'no link is left');
    t.match(
      await machine.read('/var/lib/offline-update/rescued'),
      /nothing-changed/,
      'and the shell has told why',
    );
    t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
    await machine.stop();

    await machine.run('mv /usr/bin/node.away /usr/bin/node');
    const again = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, again);
    t.match(await statusOf(machine), { state: 'refused', reason: { code: 'SERVICE_CRASHED' } });
  },
);

void t.test(
  'invariant 6: node is lost in mid-install and the power goes: the shell alone finishes by dpkg',
  async (t) => {
    const machine = await armedMachine(t, { packages });
    t.equal((await machine.boot({ killWhen: inMidInstall })).ended, 'killed');
    await machine.run('mv /usr/bin/node /usr/bin/node.away');
    const boots = await machine.bootUntilSettled({ timeoutSeconds: 120 });
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['reboot', 'up'],
    );
    t.match(await machine.read('/var/lib/offline-update/rescued'), /rolled-forward/);
    t.strictSame(await versionsOf(machine, packages), updated);
    await machine.stop();
    await machine.run('mv /usr/bin/node.away /usr/bin/node');
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
  },
);

void t.test('without a bus the machine is left all the same', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  for (const unit of ['dbus.socket', 'dbus.service', 'systemd-logind.service']) {
    await machine.link('/dev/null', `/etc/systemd/system/${unit}`);
  }
  t.equal((await machine.boot()).ended, 'reboot');
  for (const unit of ['dbus.socket', 'dbus.service', 'systemd-logind.service']) {
    await machine.remove(`/etc/systemd/system/${unit}`);
  }
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
});

void t.test(
  'invariant 2: a trigger that cannot be renamed installs nothing and the machine goes on',
  async (t) => {
    const machine = await armedMachine(t, { packages: ['lab-good'] });
    // What a read-only root or a policy does: the rename fails, and so does every removal.
    await machine.run('mv /usr/bin/mv /usr/bin/mv.real; mv.real /usr/bin/rm /usr/bin/rm.real');
    await machine.write(
      '/usr/bin/mv',
      '#!/bin/sh\ncase $* in *system-update*) exit 1 ;; esac\nexec mv.real "$@"\n',
    );
    await machine.write(
      '/usr/bin/rm',
      '#!/bin/sh\ncase $* in *system-update*) exit 1 ;; esac\nexec rm.real "$@"\n',
    );
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['up'],
      'no reboot, no loop: on to the normal target in the same boot',
    );
    t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
    t.equal((await statusOf(machine)).state, 'armed');
  },
);
