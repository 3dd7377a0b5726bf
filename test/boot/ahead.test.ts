/**
 * The update service that the trigger has started ahead of a soft-reboot (docs/speed.md): it becomes the service of the update
 * boot, and wherever it cannot, the update boot begins as any other.
 */
import t, { type Test } from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import { installedMachine, isBackSoftly, isBackToNormal, statusOf, versionsOf } from './installed.js';
import { fittingSnapshot } from '../fixtures/warm-starts.js';

const unit = 'offline-update-ahead.service';
const word = '/run/offline-update/ahead';

/** Who waits; undefined where nobody does. */
async function whoWaits(machine: Machine): Promise<string | undefined> {
  const { stdout } = await machine.exec(`systemctl show --property=MainPID --value ${unit}`);
  return stdout.trim() === '0' ? undefined : stdout.trim();
}

interface Wish {
  packages?: readonly string[];
  before?: (machine: Machine) => Promise<unknown>;
}

/** Up, and armed for a soft-reboot. */
async function armed(t: Test, { packages = ['lab-good'], before }: Wish = {}): Promise<Machine> {
  const machine = await installedMachine(t, packages);
  await machine.write('/etc/offline-update/config.d/10-laboratory.toml', 'withoutSnapshots = "resume"\n');
  await before?.(machine);
  await machine.start();
  await machine.exec('/usr/lib/offline-update/make-warm-start');
  await machine.exec('offline-update prepare --no-refresh');
  await machine.exec('offline-update trigger --no-rehearse');
  return machine;
}

async function softReboot(machine: Machine): Promise<void> {
  await machine.exec('systemctl --no-block soft-reboot');
}

/** Of the lines about the install: who wrote them, and as part of which unit. */
async function whoInstalled(machine: Machine): Promise<{ pid: string; unit: string }> {
  const rows = await machine.journal();
  const fields = rows.findLast(({ message }) => message.includes('Running apt-get'))?.fields ?? {};
  return { pid: fields['_PID'] ?? '', unit: fields['_SYSTEMD_UNIT'] ?? '' };
}

async function isUpdated(t: Test, machine: Machine): Promise<void> {
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
  t.equal(await whoWaits(machine), undefined, 'nobody waits any more');
  t.notOk(machine.exists(word));
}

void t.test('who waited for the update boot is its service', async (t) => {
  const machine = await armed(t);
  const waiting = await whoWaits(machine);
  t.ok(waiting);
  await softReboot(machine);
  await isBackSoftly(t, machine);
  await isUpdated(t, machine);
  t.strictSame(await whoInstalled(machine), { pid: waiting, unit: 'offline-update.service' });
  t.equal((await machine.exec('systemctl --failed --no-legend')).stdout, '');
});

for (const [what, change] of [
  ['it was killed', `systemctl kill --signal=KILL ${unit}`],
  ['it is of another Node.js', 'touch /usr/bin/node'],
  ['an attempt was cut short', 'echo earlier >/var/lib/offline-update/claims'],
  ['another process has its number', `sed -i "s/^[0-9]*/1/" ${word}`],
  ['nobody knows who it is', `rm ${word}`],
] as const) {
  void t.test(`where ${what}, the update boot begins as any other`, async (t) => {
    const machine = await armed(t);
    const waiting = await whoWaits(machine);
    t.ok(waiting);
    await machine.exec(change);
    await softReboot(machine);
    await isBackSoftly(t, machine);
    t.equal((await statusOf(machine)).state, 'confirmed');
    const { pid, unit } = await whoInstalled(machine);
    t.not(pid, waiting);
    t.equal(unit, 'offline-update.service');
  });
}

/** In the place of systemd-notify; what is not about the main process is told as ever. */
const notify =
  (text: string) =>
  (machine: Machine): Promise<unknown> =>
    machine.write(
      '/usr/local/bin/systemd-notify',
      `#!/bin/sh\n/usr/bin/systemd-notify "$@" || exit\n[ "$1" = --ready ] || ${text}\n`,
    );
const answersLate = notify('[ -e /run/asked ] || { : >/run/asked && exit 1; }');
const neverAnswers = notify('exit 1');

void t.test('systemd is asked again where it does not answer in time', async (t) => {
  const machine = await armed(t, { before: answersLate });
  const waiting = await whoWaits(machine);
  await softReboot(machine);
  await isBackSoftly(t, machine);
  await isUpdated(t, machine);
  t.strictSame(await whoInstalled(machine), { pid: waiting, unit: 'offline-update.service' });
});

for (const [what, before] of [
  [
    'the unit of the service was changed',
    (machine: Machine) =>
      machine.write('/etc/systemd/system/offline-update.service.d/site.conf', '[Service]\nNice=1\n'),
  ],
  [
    'its snapshot is not trusted any more',
    (machine: Machine) =>
      machine.write(
        '/usr/lib/offline-update/make-warm-start',
        `#!/bin/sh\n: >"$(${fittingSnapshot('update-service')})"\n`,
      ),
  ],
] as const) {
  void t.test(`where ${what}, nobody waits`, async (t) => {
    const machine = await armed(t, { before });
    t.equal(await whoWaits(machine), undefined);
    t.equal((await machine.exec('systemctl --failed --no-legend')).stdout, '');
    await softReboot(machine);
    await isBackSoftly(t, machine);
    await isUpdated(t, machine);
  });
}

void t.test('any other reboot takes it along, and the update boot begins as any other', async (t) => {
  const machine = await armed(t);
  t.ok(await whoWaits(machine));
  await machine.exec('systemctl --no-block reboot');
  t.equal((await machine.waitForEnd()).ended, 'reboot');
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  await isUpdated(t, machine);
  const rows = await machine.journal({ boot: 0 });
  t.notOk(rows.some(({ message }) => message.includes(`Starting ${unit}`)));
});

void t.test('after a cancel nobody waits', async (t) => {
  const machine = await armed(t);
  t.ok(await whoWaits(machine));
  await machine.exec('offline-update cancel');
  t.equal(await whoWaits(machine), undefined);
  t.notOk(machine.exists(word));
});

void t.test('where the link was taken away by hand, nobody waits for long', async (t) => {
  const machine = await armed(t);
  await machine.exec('rm /system-update');
  await machine.exec(`timeout 30 sh -c 'while systemctl --quiet is-active ${unit}; do sleep 0.5; done'`);
  t.equal(await whoWaits(machine), undefined);
  t.notOk(machine.exists(word));
  t.equal((await machine.exec('systemctl --failed --no-legend')).stdout, '');
});

for (const [when, before] of [
  ['', undefined],
  [', also where systemd does not answer', neverAnswers],
] as const) {
  void t.test(
    `invariant 1: in the update boot of another tool it ends, and nothing is said${when}`,
    async (t) => {
      const machine = await armed(t, { ...(before && { before }) });
      await machine.exec('ln -s /nowhere /etc/system-update');
      await softReboot(machine);
      t.equal((await machine.waitForEnd()).ended, 'reboot', "systemd's own clean-up ends the boot");
      const rows = await machine.journal();
      const ours = rows.filter(({ fields }) =>
        /^offline-update(-ahead)?\.service/.test(fields['_SYSTEMD_UNIT'] ?? ''),
      );
      t.strictSame(
        ours.map(({ message }) => message),
        [],
      );
      t.notOk(rows.some(({ message }) => /^offline-update.*(Failed|failed)/.test(message)));
      await isBackToNormal(t, machine, await machine.bootUntilSettled());
      t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
    },
  );
}

const isDeaf = (machine: Machine): Promise<unknown> =>
  machine.write(
    '/usr/lib/offline-update/ahead',
    `#!/bin/sh
. /usr/lib/offline-update/warm-start
trap '' USR2
warm_start update-service
echo "$$ $snapshot" >${word}
systemd-notify --ready
while sleep 1; do :; done
`,
  );

for (const [what, before] of [
  ['that does not answer', isDeaf],
  ['of whom systemd may not have heard', neverAnswers],
] as const) {
  void t.test(`one ${what} is ended, and the machine comes back`, async (t) => {
    const machine = await armed(t, { before });
    await softReboot(machine);
    await isBackSoftly(t, machine, undefined, 'refused');
    t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
  });
}

void t.test('where the shell dies between the claim and its word, the rescue unit takes over', async (t) => {
  const killed = `#!/bin/sh
/usr/lib/offline-update/claimed "$@" || exit
main="systemctl show --property=MainPID --value offline-update.service"
timeout 20 sh -c 'until [ "$('"$main"')" = "$(cut -d" " -f1 ${word})" ]; do sleep 0.1; done' || exit 255
exec pkill --signal=KILL --full /usr/lib/offline-update/begin
`;
  const before = (machine: Machine): Promise<unknown> =>
    machine
      .run('mv /usr/lib/offline-update/claim /usr/lib/offline-update/claimed')
      .then(() => machine.write('/usr/lib/offline-update/claim', killed));
  const machine = await armed(t, { before });
  await softReboot(machine);
  await isBackSoftly(t, machine, undefined, 'refused');
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
});

void t.test('killed in the midst of the install, the rescue finishes it', async (t) => {
  const machine = await armed(t, { packages: ['lab-good', 'lab-slow'] });
  const waiting = await whoWaits(machine);
  await softReboot(machine);
  await machine.container.waitForLine('/var/lib/offline-update/updates/*/term.log', (line) =>
    line.includes('Setting up lab-slow'),
  );
  await machine.exec('systemctl kill --signal=KILL --kill-whom=main offline-update.service');
  t.equal((await machine.waitForEnd()).ended, 'reboot');
  t.equal((await whoInstalled(machine)).pid, waiting);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  await isUpdated(t, machine);
});
