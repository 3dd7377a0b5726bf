import t, { type Test } from 'tap';
import { Machine, type BootRecord } from '../laboratory/laboratory.js';
import { armedMachine, installedMachine, isBackToNormal, statusOf, versionsOf } from './installed.js';

/** What our units said in the boots so far; not what systemd said while it started them. */
async function saidByUs(machine: Machine): Promise<string[]> {
  const rows = await machine.journal();
  return rows
    .filter(({ fields }) => /^offline-update/.test(fields['_SYSTEMD_UNIT'] ?? ''))
    .filter(({ fields }) => fields['_TRANSPORT'] === 'stdout')
    .map(({ message }) => message);
}

async function foreignBoot(
  t: Test,
  put: (machine: Machine) => Promise<unknown>,
): Promise<[Machine, BootRecord[]]> {
  const machine = await installedMachine(t, ['lab-good']);
  await put(machine);
  return [machine, await machine.bootUntilSettled({ timeoutSeconds: 30 })];
}

void t.test('invariant 1: a foreign link is left alone, and nothing is read or written', async (t) => {
  const [machine, boots] = await foreignBoot(t, async (machine) => {
    await machine.write('/var/lib/PackageKit/prepared-update', '[update]\n');
    await machine.link('/var/lib/PackageKit/prepared-update', '/system-update');
  });
  t.strictSame(
    boots.map(({ ended }) => ended),
    ['reboot', 'up'],
    "systemd's own clean-up ends the boot",
  );
  await isBackToNormal(t, machine, boots);
  t.strictSame(await saidByUs(machine), []);
  t.notOk(machine.exists('/run/offline-update'));
  t.equal(await machine.read('/var/lib/PackageKit/prepared-update'), '[update]\n');
});

void t.test('invariant 1: a dangling foreign link too', async (t) => {
  const [machine, boots] = await foreignBoot(t, (machine) => machine.link('/nowhere', '/system-update'));
  await isBackToNormal(t, machine, boots);
  t.strictSame(await saidByUs(machine), []);
});

void t.test('a plain file in place of the link ends as systemd ends it', async (t) => {
  const [machine, boots] = await foreignBoot(t, (machine) => machine.write('/system-update', 'x'));
  await isBackToNormal(t, machine, boots);
});

void t.test(
  'a folder in place of the link defeats the clean-up, and the machine still gets to its login',
  async (t) => {
    const [machine, boots] = await foreignBoot(t, (machine) => machine.write('/system-update/file', 'x'));
    t.equal(boots.at(-1)?.ended, 'up');
    const { stdout } = await machine.exec('systemctl is-active multi-user.target', { check: false });
    t.equal(stdout.trim(), 'active', 'in its normal target');
    t.equal(await machine.read('/system-update/file'), 'x', 'what is not ours is not touched');
  },
);

void t.test(
  'a foreign link beside our armed one: the other tool goes first, and we tell what became of ours',
  async (t) => {
    const machine = await armedMachine(t, { packages: ['lab-good'] });
    await machine.link('/var/lib/elsewhere', '/etc/system-update');
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
    t.match(await statusOf(machine), { state: 'refused', reason: { code: 'TRIGGER_VANISHED' } });
  },
);

for (const masked of [true, false]) {
  void t.test(
    `the redirect stands with systemd's own generator ${masked ? 'masked' : 'there'}`,
    async (t) => {
      const machine = await armedMachine(t, { packages: ['lab-good'] });
      if (masked)
        await machine.link('/dev/null', '/etc/systemd/system-generators/systemd-system-update-generator');
      const boots = await machine.bootUntilSettled();
      t.equal(boots.length, 2);
      await isBackToNormal(t, machine, boots);
      t.equal((await statusOf(machine)).state, 'confirmed');
    },
  );
}
