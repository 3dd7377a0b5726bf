/** The installed service on the machine's own bus: started by it, asked by root and by others, ended when idle. */
import t from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import { Machine, machineWithVersion1, rootImage } from '../laboratory/laboratory.js';
import { isBackToNormal, statusOf, versionsOf } from './installed.js';

const at = 'org.offlineupdate1 /org/offlineupdate1';
const manager = `${at} org.offlineupdate1.Manager`;
const asNobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups';

/** Begins a job and waits until there is none any more. */
function job(call: string, as = ''): string {
  const now = `busctl get-property ${manager} Job`;
  return `${as} busctl call ${manager} ${call} && while [ "$(${now})" != 'u 0' ]; do :; done; busctl get-property ${manager} State`;
}

void t.test('a desktop on the bus: started by it, prepares, arms, and the update is confirmed', async (t) => {
  const base = await rootImage({ packages: ['polkitd'] });
  const machine = await Machine.on(
    await machineWithVersion1(['lab-good'], { base, install: [packageUnderTest()] }),
  );
  t.teardown(() => machine.dispose());
  await machine.write('/etc/offline-update/config.d/50.toml', 'withoutSnapshots = "resume"\n');
  // one who may prepare, and nothing else
  await machine.write(
    '/etc/polkit-1/rules.d/10-test.rules',
    `polkit.addRule(function(action, subject) {
       if (action.id == "org.offlineupdate1.prepare" && subject.user == "nobody") return polkit.Result.YES;
     });\n`,
  );
  await machine.start();
  const active = async (): Promise<string> =>
    (await machine.exec('systemctl is-active offline-update-bus.service', { check: false })).stdout.trim();
  t.equal(await active(), 'inactive', 'no boot starts it');
  t.match((await machine.exec(`busctl get-property ${manager} State`)).stdout, 's "none"');
  t.equal(await active(), 'active', 'the bus does');

  await t.test('who may what is asked of the real polkit', async (t) => {
    const denied = await machine.exec(`${asNobody} busctl call ${manager} Cancel`, { check: false });
    t.match(denied.stderr, /interactive authentication required|polkit/i);
    t.match((await machine.exec(`${asNobody} busctl get-property ${manager} State`)).stdout, 's "none"');
    const owned = await machine.exec(
      `${asNobody} busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.offlineupdate1 0`,
      { check: false },
    );
    t.match(owned.stderr, /denied/);
  });

  const prepared = await machine.exec(job(`Prepare 'a{sv}' 1 refresh b false`, asNobody));
  t.equal(prepared.stdout, 'u 1\ns "prepared"\n');
  const armed = await machine.exec(job(`Trigger 'a{sv}' 0`));
  t.equal(armed.stdout, 'u 2\ns "armed"\n');
  const status = JSON.parse(
    (
      JSON.parse((await machine.exec(`busctl --json=short call ${manager} GetState`)).stdout) as {
        data: [string];
      }
    ).data[0],
  ) as { state: string; rehearsal: { outcome: string } };
  t.match(
    status,
    { state: 'armed', rehearsal: { outcome: 'passed' } },
    'rehearsed within the bounds of the unit',
  );

  await machine.stop();
  const boots = await machine.bootUntilSettled();
  t.match(boots, [{ ended: 'up', softReboots: 1 }], 'out by what auto has decided');
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '2.0' });
  t.equal(await active(), 'inactive');
  t.match((await machine.exec(`busctl get-property ${manager} State`)).stdout, 's "confirmed"');

  await t.test('while an update boot is at work, or was cut short, it is not started', async (t) => {
    await machine.exec(
      'systemctl stop offline-update-bus.service; ln -s /var/lib/system-update /system-update.claimed',
    );
    await machine.exec('systemctl start offline-update-bus.service; rm /system-update.claimed');
    t.equal(await active(), 'inactive');
  });

  await t.test('however often it ends, no call is lost', async (t) => {
    await machine.write(
      '/etc/systemd/system/offline-update-bus.service.d/idle.conf',
      '[Service]\nExecStart=\nExecStart=/usr/bin/node /usr/lib/offline-update/offline-update.cjs bus-service --idle-seconds 0\n[Unit]\nStartLimitIntervalSec=0\n',
    );
    await machine.exec('systemctl daemon-reload; systemctl stop offline-update-bus.service');
    const asks = `for n in $(seq 10); do busctl get-property ${manager} State || echo lost; done`;
    const { stdout } = await machine.exec(`(${asks}) & (${asks}) & wait`);
    t.equal(stdout, 's "confirmed"\n'.repeat(20));
    const { stdout: failed } = await machine.exec('systemctl is-failed offline-update-bus.service', {
      check: false,
    });
    t.notMatch(failed, /^failed/);
  });
});
