/** The update service starts from a snapshot of itself where one fits, and the machine comes back where it cannot (docs/speed.md). */
import t, { type Test } from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import { armedMachine, isBackAfterOneReboot, statusOf, versionsOf } from './installed.js';

const packages = ['lab-good'];
const folder = '/var/cache/offline-update';

async function snapshot(machine: Machine): Promise<string> {
  const script = '. /usr/lib/offline-update/warm-start; warm_start update-service';
  return (await machine.run(script)).stdout.trim();
}

async function snapshots(machine: Machine): Promise<string[]> {
  const { stdout } = await machine.run(`ls ${folder}`);
  return stdout.split('\n').filter((name) => name.startsWith('update-service'));
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
  t.strictSame(
    (await snapshots(machine)).map((name) => `${folder}/${name}`),
    [made],
  );
  await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.match(await startedAs(machine), `--snapshot-blob ${made} `);
});

for (const [what, change] of [
  ['this is not the first boot of the attempt', 'echo earlier >/var/lib/offline-update/claims'],
  ['there is none', 'rm /var/cache/offline-update/*'],
  ['it is empty', ': >"$(. /usr/lib/offline-update/warm-start; warm_start update-service)"'],
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

const isEmptied =
  '. /usr/lib/offline-update/warm-start; made=$(warm_start update-service); [ -e "$made" ] && [ ! -s "$made" ]';

async function isSetRight(t: Test, machine: Machine): Promise<void> {
  await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '1.0' }, 'exactly as it was');
  t.equal((await statusOf(machine)).state, 'refused');
  await machine.exec(isEmptied);
  await machine.exec('offline-update prepare --no-refresh && offline-update trigger --no-rehearse');
  await machine.stop();
  await isBackAfterOneReboot(t, machine, await machine.bootUntilSettled());
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0' });
  await machine.exec(`/usr/lib/offline-update/make-warm-start && ${isEmptied}`);
}

for (const [what, spoil] of [
  [
    'of another V8',
    'node --max-lazy --no-warnings --snapshot-blob "$made" --build-snapshot /usr/lib/offline-update/update-service.cjs',
  ],
  ['that was cut off', 'truncate --size=-1000 "$made"'],
  ...[10, 50, 99].map((percent) => [
    `with another byte at ${percent} %`,
    `printf xyz | dd of="$made" bs=1 seek=$(($(stat --format=%s "$made") * ${percent} / 100)) conv=notrunc status=none`,
  ]),
]) {
  void t.test(`invariant 6: a snapshot ${what} installs nothing, and never again`, async (t) => {
    const machine = await armedMachine(t, { packages });
    await machine.run(`made=${await snapshot(machine)}; ${spoil}`);
    await isSetRight(t, machine);
  });
}
