import t, { type Test } from 'tap';
import { type Machine, putRepository, repackedPackages } from '../laboratory/laboratory.js';
import {
  armedMachine,
  installedLayer,
  isBackAfterOneReboot,
  isBackToNormal,
  statusOf,
  versionsOf,
  type Scenario,
} from './installed.js';
import { untilOneFits, warmStarts } from '../fixtures/warm-starts.js';

/** What the update boot itself stands on: the interpreter, PID 1, the bus, the C library, and the product. */
const names = [
  'nodejs',
  'libnode115',
  'systemd',
  'libsystemd-shared',
  'libsystemd0',
  'dbus',
  'libc6',
  'libc-bin',
  'offline-update',
];

/** The next version of all of them in a second repository. */
const scenario: Scenario = {
  packages: ['lab-good'],
  before: async (machine) => {
    const debs = await repackedPackages(await installedLayer(['lab-good']), names);
    await putRepository(machine, debs, { suite: 'next', folder: '/srv/next' });
    await machine.run('apt-get update --quiet=2');
  },
};

async function isAllNew(t: Test, machine: Machine): Promise<void> {
  const versions = await versionsOf(machine, names);
  t.strictSame(
    names.filter((name) => !versions[name]?.endsWith('+lab1')),
    [],
    'every one is in its next version, and configured',
  );
}

void t.test('the update replaces node, systemd, dbus, libc6 and this package under itself', async (t) => {
  const machine = await armedMachine(t, scenario);
  const boots = await machine.bootUntilSettled();
  await isBackAfterOneReboot(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  await isAllNew(t, machine);
  // Not made while everybody waited, but by the confirmation (docs/speed.md).
  await machine.exec(`${untilOneFits('update-service')}; offline-update status`);
  const { stdout } = await machine.exec(`ls ${warmStarts}`);
  t.match(
    stdout,
    /^offline-update-\S+\.blob\nupdate-service-\S+\.blob\n?$/,
    'the start-up snapshots are those of the new Node.js',
  );
});

for (const name of ['libnode115', 'libc6', 'systemd', 'offline-update']) {
  void t.test(
    `invariant 6: killed while ${name} is being unpacked, the machine comes back updated`,
    async (t) => {
      const machine = await armedMachine(t, scenario);
      const file = '/var/lib/offline-update/updates/*/term.log';
      const match = new RegExp(`Unpacking ${name}\\b`);
      t.equal((await machine.boot({ killWhen: { file, match } })).ended, 'killed');
      const boots = await machine.bootUntilSettled();
      await isBackToNormal(t, machine, boots);
      t.equal((await statusOf(machine)).state, 'confirmed');
      await isAllNew(t, machine);
    },
  );
}
