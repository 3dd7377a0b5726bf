import t, { type Test } from 'tap';
import type { Container, Machine } from '../laboratory/laboratory.js';
import { armedMachine, isBackToNormal, reportOf, statusOf, versionsOf, type Scenario } from './installed.js';

const terminal = '/var/lib/offline-update/updates/*/term.log';
const journal = '/var/lib/offline-update/updates/*/journal.jsonl';

/** Kills the update service as soon as a line stands in the terminal log. */
function killService(match: RegExp, more = 'true') {
  return async (container: Container): Promise<void> => {
    await container.waitForLine(terminal, (line) => match.test(line));
    await container.exec(`systemctl kill --kill-whom=main --signal=SIGKILL offline-update.service; ${more}`, {
      check: false,
    });
  };
}

void t.test('a rescue that hangs is ended by its bound, and the machine comes back', async (t) => {
  const packages = ['lab-good', 'lab-hangs'];
  // Of the attempt in the boot after it, which resumes.
  const machine = await armedMachine(t, { packages, config: 'stallTimeoutSeconds = 3\n' });
  await machine.write(
    '/etc/systemd/system/offline-update-rescue.service.d/50-test.conf',
    '[Service]\nTimeoutStartSec=5s\n',
  );
  const boots = await machine.bootUntilSettled({
    timeoutSeconds: 150,
    maxBoots: 6,
    during: killService(/lab: hanging/),
  });
  t.equal(boots.at(-1)?.ended, 'up', 'no boot stands still');
  t.ok(boots.every(({ seconds }) => seconds < 60));
  t.match(await statusOf(machine), { state: 'failed', reason: { code: 'INSTALL_STALLED' } });
});

void t.test(
  'dpkg outlives service and apt: it is waited for, and nothing is left half-configured',
  async (t) => {
    const packages = ['lab-good', 'lab-slow'];
    const machine = await armedMachine(t, { packages });
    const boots = await machine.bootUntilSettled({
      timeoutSeconds: 60,
      during: killService(/Setting up lab-slow/, 'pkill -KILL -x apt-get'),
    });
    await isBackToNormal(t, machine, boots);
    t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0', 'lab-slow': '2.0' });
    t.equal((await statusOf(machine)).state, 'confirmed');
  },
);

/** Cut in mid-install, and Node is gone in the next boot: the shell has to finish. */
async function finishedByTheShell(t: Test, scenario: Scenario, at: RegExp): Promise<Machine> {
  const machine = await armedMachine(t, scenario);
  t.equal((await machine.boot({ killWhen: { file: terminal, match: at } })).ended, 'killed');
  await machine.run('mv /usr/bin/node /usr/bin/node.away');
  await machine.bootUntilSettled();
  t.match(await machine.read('/var/lib/offline-update/rescued'), /rolled-forward/);
  await machine.exec('mv /usr/bin/node.away /usr/bin/node; systemctl restart offline-update-recover.service');
  return machine;
}

void t.test('invariant 6: the shell removes what has to go before its successor comes', async (t) => {
  const packages = ['lab-new', 'lab-old', 'lab-library', 'lab-program'];
  const machine = await finishedByTheShell(t, { packages, prepare: ['--full'] }, /Unpacking|Preparing/);
  t.strictSame(await versionsOf(machine, ['lab-new', 'lab-library', 'lab-program']), {
    'lab-new': '2.0',
    'lab-library': '2.0',
    'lab-program': '2.0',
  });
  const { 'lab-old': old } = await versionsOf(machine, ['lab-old']);
  t.ok(old === undefined || !old.startsWith('1.0'), 'lab-old is gone');
});

void t.test('a mark left open by a cut after the verdict is closed in the next boot', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  const cut = await machine.boot({ killWhen: { file: journal, match: /"event":"installed"/ } });
  t.equal(cut.ended, 'killed');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { id } = await statusOf(machine);
  await machine.stop();
  await machine.link(`updates/${id ?? ''}`, '/var/lib/offline-update/open');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
});

void t.test('invariant 7: nothing of a stage is read by apt before the seal is proven', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  await machine.write('/usr/local/bin/evil', '#!/bin/sh\ntouch /var/lib/evil-ran\nexec /usr/bin/dpkg "$@"\n');
  await machine.run('echo \'Dir::Bin::dpkg "/usr/local/bin/evil";\' >> /var/lib/system-update/apt.conf');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.match(await statusOf(machine), { state: 'refused', reason: { code: 'STAGE_TAMPERED' } });
  t.notOk(machine.exists('/var/lib/evil-ran'));
});

void t.test('the report says who led the machine out, also without a bus', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  const units = ['dbus.socket', 'dbus.service', 'systemd-logind.service'];
  for (const unit of units) await machine.link('/dev/null', `/etc/systemd/system/${unit}`);
  t.equal((await machine.boot()).ended, 'reboot');
  for (const unit of units) await machine.remove(`/etc/systemd/system/${unit}`);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { id } = await statusOf(machine);
  t.match(await reportOf(machine, id ?? ''), { leftBy: 'systemctl', awaySeconds: Number });
});
