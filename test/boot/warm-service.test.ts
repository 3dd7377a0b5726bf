/** The update service starts from a snapshot of itself where one fits, and the machine comes back where it cannot (docs/speed.md). */
import t from 'tap';
import { asSnapshot, fittingSnapshot, isEmptied, untilOneFits, warmStarts } from '../fixtures/warm-starts.js';
import type { Machine } from '../laboratory/laboratory.js';
import { armedMachine, isBackAfterOneReboot, statusOf, versionsOf } from './installed.js';

const packages = ['lab-good'];

async function snapshot(machine: Machine): Promise<string> {
  return (await machine.run(fittingSnapshot('update-service'))).stdout;
}

/** The command line of the process that installed. */
async function startedAs(machine: Machine): Promise<string | undefined> {
  const rows = await machine.journal();
  const said = rows.find(({ fields }) => /update-service\.cjs run/.test(fields['_CMDLINE'] ?? ''));
  return said?.fields['_CMDLINE'];
}

void t.test('the service starts from its snapshot', async (t) => {
  const machine = await armedMachine(t, { packages });
  const made = await snapshot(machine);
  t.match(made, `${warmStarts}/update-service-`);
  await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.match(await startedAs(machine), `--snapshot-blob ${made} `);
});

for (const [what, change] of [
  ['this is not the first boot of the attempt', 'echo earlier >/var/lib/offline-update/claims'],
  ['there is none', 'rm /var/cache/offline-update/*'],
  ['it is empty', `: >"$(${fittingSnapshot('update-service')})"`],
  ['it is of another program', 'touch /usr/lib/offline-update/update-service.cjs'],
  ['it is of another Node.js', 'touch /usr/bin/node'],
  [
    'Node.js is told to be another one',
    'mkdir -p /etc/systemd/system/offline-update.service.d && ' +
      'printf "[Service]\\nEnvironment=NODE_OPTIONS=--max-old-space-size=200\\n" >/etc/systemd/system/offline-update.service.d/site.conf',
  ],
] as const) {
  void t.test(`where ${what}, it starts in the ordinary way`, async (t) => {
    const machine = await armedMachine(t, { packages });
    await machine.run(change);
    await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
    t.equal(await startedAs(machine), '/usr/bin/node /usr/lib/offline-update/update-service.cjs run');
  });
}

void t.test('nobody waits for what is read ahead', async (t) => {
  const machine = await armedMachine(t, { packages });
  const reads = `until grep -q '"event":"installing"' /var/lib/offline-update/open/journal.jsonl; do sleep 0.1; done
echo 'still reading' >/var/log/read-ahead
sleep 600`;
  await machine.write('/usr/lib/offline-update/read-ahead', `#!/bin/sh\n${reads}\n`);
  await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.equal(await machine.read('/var/log/read-ahead'), 'still reading\n', 'when the install began');
});

const spoilt = (by: string) => `made=$(${fittingSnapshot('update-service')}); ${by}`;

for (const [what, by] of [
  ['it was cut off', 'truncate --size=-1000 "$made"'],
  ['it is of another processor', 'mv "$made" "${made%-*-*.blob}-1-${made##*-}"'],
  ...[10, 50, 99].map((percent) => [
    `another byte is at ${percent} % of it`,
    `printf xyz | dd of="$made" bs=1 seek=$(($(stat --format=%s "$made") * ${percent} / 100)) conv=notrunc status=none`,
  ]),
] as const) {
  void t.test(`where ${what}, it starts in the ordinary way, and another one is made`, async (t) => {
    const machine = await armedMachine(t, { packages });
    await machine.run(spoilt(by));
    t.equal(await snapshot(machine), '');
    await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
    t.equal(await startedAs(machine), '/usr/bin/node /usr/lib/offline-update/update-service.cjs run');
    await machine.exec(untilOneFits('update-service'));
  });
}

void t.test('invariant 6: one that Node.js refuses installs nothing, and never again', async (t) => {
  const machine = await armedMachine(t, { packages });
  const build = '--build-snapshot /usr/lib/offline-update/update-service.cjs';
  await machine.run(`node --max-lazy --no-warnings --snapshot-blob /srv/made.blob ${build}`);
  await machine.run(asSnapshot('update-service', '/srv/made.blob'));
  await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '1.0' }, 'exactly as it was');
  t.equal((await statusOf(machine)).state, 'refused');
  await machine.exec(isEmptied('update-service'));
  await machine.exec('offline-update prepare --no-refresh && offline-update trigger --no-rehearse');
  await machine.stop();
  await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0' });
  await machine.exec(`/usr/lib/offline-update/make-warm-start && ${isEmptied('update-service')}`);
});
