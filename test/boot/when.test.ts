/** Times, windows and timers with the real systemd and logind. */
import { copyFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { noticeIds } from '../../src/update/message-ids.js';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import type { Machine } from '../laboratory/laboratory.js';
import { installedMachine, isBackToNormal, statusOf, versionsOf } from './installed.js';

const wakes = "systemctl list-timers --no-legend --all 'offline-update-wake-*'";
const manager = 'org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager';
const shutdownOf = async (machine: Machine) =>
  (await machine.exec(`busctl get-property ${manager} ScheduledShutdown`)).stdout.trim();

async function preparedMachine(t: Test, config: string): Promise<Machine> {
  const machine = await installedMachine(t, ['lab-good']);
  await configure(machine, config);
  await machine.write(
    '/etc/offline-update/config.d/10-laboratory.toml',
    'withoutSnapshots = "resume"\nrehearse = false\naction = "reboot"\n',
  );
  await machine.start();
  return machine;
}

const configure = (machine: Machine, config: string) =>
  machine.write('/etc/offline-update/config.d/50-test.toml', config);

async function json(machine: Machine, ...words: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await machine.exec(['offline-update', ...words, '--json'], { check: false });
  return JSON.parse(stdout) as Record<string, unknown>;
}

const unitResult = async (machine: Machine, unit: string) =>
  (await machine.exec(`systemctl show --property=Result,ConditionResult --value ${unit}`)).stdout
    .trim()
    .split('\n');

/** Somebody forbids a shutdown until `release`. */
async function inhibit(machine: Machine): Promise<void> {
  await machine.exec(
    "systemd-run --quiet --unit=lab-lock systemd-inhibit --what=shutdown --who=lab --why='a tape is written' sleep infinity; " +
      'until systemd-inhibit --list --no-legend | grep -q tape; do sleep 0.02; done',
  );
}

void t.test(
  'a time outlives a reboot, is taken back, and at last the machine reboots by itself',
  async (t) => {
    const machine = await preparedMachine(t, 'noticeSeconds = 0\n');
    await machine.exec('offline-update prepare --no-refresh');
    t.match(await json(machine, 'trigger', '--at', '+10h'), { state: 'scheduled' });
    t.match((await machine.exec(wakes)).stdout, /offline-update-wake-\w+\.timer/);
    await machine.stop();
    t.notOk(machine.exists('/system-update'), 'a reboot before its time is an ordinary one');
    await machine.start();
    t.match((await machine.exec(wakes)).stdout, /offline-update-wake-\w+\.timer/, 'the timer is there again');
    t.match(await statusOf(machine), { state: 'prepared', scheduled: { whenIdle: false } });
    t.match(await json(machine, 'cancel'), { unscheduled: true });
    t.equal((await machine.exec(wakes)).stdout, '');

    await configure(machine, 'noticeSeconds = 4000\n');
    t.match(await json(machine, 'trigger', '--at', '+1h'), {
      state: 'armed',
      attended: { outcome: 'leaving' },
    });
    t.match(await shutdownOf(machine), /^\(st\) "reboot" \d{16}$/, 'logind has the reboot');
    t.match((await machine.exec('shutdown --show 2>&1', { check: false })).stdout, /scheduled/i);
    t.match(await statusOf(machine), { state: 'armed', reboot: { type: 'reboot' } });
    t.match(await json(machine, 'cancel'), { rebootCancelled: true });
    t.notMatch(await shutdownOf(machine), /reboot/);
    t.notOk(machine.exists('/system-update'));

    await machine.exec('shutdown -r +600');
    t.match(await json(machine, 'trigger', '--at', '+1h'), {
      attended: { outcome: 'waiting', reason: { message: /somebody has scheduled a reboot/ } },
    });
    t.match(await json(machine, 'cancel'), { unscheduled: true, rebootCancelled: false });
    t.match(await shutdownOf(machine), /"reboot"/, "somebody else's is left alone");
    await machine.exec('shutdown -c');

    await json(machine, 'trigger', '--at', '+1h');
    await machine.exec('shutdown -c');
    const service = 'offline-update-scheduled.service';
    t.not((await machine.exec(`systemctl start ${service}`, { check: false })).exitCode, 0);
    t.match(await statusOf(machine), { state: 'prepared', putOff: { reason: { code: 'REBOOT_WITHDRAWN' } } });
    t.notOk(machine.exists('/system-update'), 'who takes the reboot back takes back the update');
    const said = await machine.exec(`journalctl -x --no-pager MESSAGE_ID=${noticeIds['not-armed']}`);
    t.match(said.stdout, /Subject: An offline update was not armed at its time/);

    await machine.exec(`systemctl reset-failed ${service}`);
    const { id } = await statusOf(machine);
    // Of a fresh boot nobody can say that nobody is there: also this reboot has its notice.
    await configure(machine, 'noticeSeconds = 3\n');
    t.match(await json(machine, 'trigger', '--at', '+3s', '--action', 'poweroff'), { state: 'armed', id });
    t.equal((await machine.waitForEnd()).ended, 'reboot', 'logind reboots into the update');
    const boots = await machine.bootUntilSettled();
    t.equal(boots.at(-1)?.ended, 'poweroff', 'which ends as was wished');
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
    t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
  },
);

void t.test('a boot that finds its time gone by comes to its end before anything is armed', async (t) => {
  const machine = await preparedMachine(t, 'noticeSeconds = 0\n');
  await machine.exec('offline-update prepare --no-refresh');
  t.match(await json(machine, 'trigger', '--at', '+10h'), { state: 'scheduled' });
  const file = '/var/lib/offline-update/scheduled.json';
  const scheduled = JSON.parse(await machine.read(file)) as Record<string, string>;
  const at = new Date(Date.now() - 60_000).toISOString();
  await machine.write(file, JSON.stringify({ ...scheduled, at }));
  await machine.stop();
  await machine.start();
  t.match(await statusOf(machine), {
    state: 'prepared',
    scheduled: { at },
    putOff: { reason: { code: 'NOT_NOW', message: 'the machine is still starting' } },
  });
  t.match((await machine.exec(wakes)).stdout, /offline-update-wake-\w+\.timer/, 'it is looked at again');
});

const always = '[[windows]]\nfrom = "00:00"\nto = "24:00"\n';

void t.test('timers prepare and set the time; windows, locks and people are waited for', async (t) => {
  const machine = await preparedMachine(t, 'noticeSeconds = 0\n');
  const timers = ['offline-update-prepare.timer', 'offline-update-trigger.timer'];
  const enabled = await machine.exec(['systemctl', 'is-enabled', ...timers], { check: false });
  t.equal(enabled.stdout, 'disabled\ndisabled\n', 'off by default');
  await machine.write(
    '/etc/systemd/system/offline-update-prepare.timer.d/now.conf',
    '[Timer]\nOnCalendar=\nOnActiveSec=0\nRandomizedDelaySec=0\n',
  );
  await machine.exec(`systemctl daemon-reload; systemctl start ${timers[0] ?? ''}`);
  await machine.exec('until [ -e /var/lib/system-update/plan.json ]; do sleep 0.05; done');
  const prepare = 'offline-update-prepare.service';
  // Waits for the one that the timer has started.
  await machine.exec(`systemctl start ${prepare}`);
  const { state, id } = await statusOf(machine);
  t.equal(state, 'prepared');

  const service = 'offline-update-trigger.service';
  t.not((await machine.exec(`systemctl start ${service}`, { check: false })).exitCode, 0, 'without a window');
  const later = new Date(Date.now() + 3 * 24 * 3600_000).toUTCString().slice(0, 3).toLowerCase();
  await configure(
    machine,
    `noticeSeconds = 0\n[[windows]]\ndays = ["${later}"]\nfrom = "12:00"\nto = "13:00"\ntimezone = "UTC"\n`,
  );
  await machine.exec(`systemctl start ${service}`);
  t.match(await statusOf(machine), { state: 'prepared', id, scheduled: { at: /T12:00:00\.000Z$/ } });
  await machine.exec(`systemctl start ${service} ${prepare}`);
  t.strictSame(await unitResult(machine, prepare), ['success', 'yes'], 'nothing to do is no failure');
  t.equal((await statusOf(machine)).id, id, 'what has a time is left alone');
  await machine.exec('offline-update cancel');
  await machine.exec(`systemctl start ${service}`);
  t.match(await statusOf(machine), { state: 'prepared', scheduled: null }, 'what was taken back stays so');

  await configure(machine, `noticeSeconds = 0\n${always}`);
  await inhibit(machine);
  t.match(await json(machine, 'trigger'), { state: 'scheduled' }, 'a person may');
  t.match(await statusOf(machine), {
    state: 'prepared',
    putOff: { reason: { message: 'lab forbids a shutdown now: a tape is written' } },
  });
  await machine.exec('offline-update cancel');
  await machine.exec(
    'systemctl stop lab-lock; until ! systemd-inhibit --list --no-legend | grep -q tape; do sleep 0.02; done',
  );

  await configure(machine, `noticeSeconds = 4000\n`);
  t.match(await json(machine, 'trigger', '--at', '+1h'), { state: 'armed' });
  const plan = await machine.read('/var/lib/system-update/plan.json');
  await machine.exec(`systemctl start ${prepare}`);
  t.strictSame(await unitResult(machine, prepare), ['success', 'no'], 'an armed plan is left alone');
  t.equal(await machine.read('/var/lib/system-update/plan.json'), plan);
  await machine.exec('offline-update cancel');

  await configure(machine, `noticeSeconds = 0\n${always}`);
  t.match(
    await json(machine, 'trigger', '--when-idle'),
    {
      state: 'scheduled',
      attended: { outcome: 'waiting', reason: { message: /^the machine has just been started/ } },
    },
    'nobody is there, but the machine may have been switched on by somebody',
  );
  t.match(await json(machine, 'trigger', '--action', 'auto'), { state: 'armed', id }, 'a window is open');
  t.equal((await machine.waitForEnd()).ended, 'reboot', 'what is announced is a full reboot');
  const boots = await machine.bootUntilSettled();
  t.match(boots, [{ ended: 'up', softReboots: 1 }], 'and what follows is as auto has decided');
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
});

void t.test(
  'whoever removes the package takes back the reboot that it has announced, and no other',
  async (t) => {
    const machine = await preparedMachine(t, 'noticeSeconds = 4000\n');
    await copyFile(packageUnderTest(), machine.path('/srv/own.deb'));
    const remove = 'apt-get remove --yes offline-update';
    const isGone = async (): Promise<void> => {
      t.notOk(machine.exists('/system-update'));
      t.equal((await machine.exec(wakes)).stdout, '', 'no timer of ours is left');
    };
    await machine.exec('offline-update prepare --no-refresh');
    t.match(await json(machine, 'trigger', '--at', '+1h'), { attended: { outcome: 'leaving' } });
    t.match(await shutdownOf(machine), /"reboot"/);
    await machine.exec(remove);
    t.notMatch(await shutdownOf(machine), /reboot/, 'logind has no reboot any more');
    await isGone();

    await machine.exec(
      'dpkg --install /srv/own.deb && offline-update prepare --no-refresh && shutdown -r +600',
    );
    t.match(await json(machine, 'trigger', '--at', '+1h'), { attended: { outcome: 'waiting' } });
    await machine.exec(remove);
    t.match(await shutdownOf(machine), /"reboot"/, 'that of somebody else is left alone');
    await isGone();
    t.equal((await machine.exec('offline-update', { check: false })).exitCode, 127);
  },
);
