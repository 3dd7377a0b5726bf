import t, { type Test } from 'tap';
import { tinyPackages, type KillPoint, type Machine } from '../laboratory/laboratory.js';
import { copying, isAsBefore, treeOf } from './copy-machines.js';
import { armedMachine, isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const packages = ['lab-good', 'lab-conffile', ...tinyPackages(20)];
const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));
const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
const terminal = '/var/lib/offline-update/updates/*/term.log';

const moments: [string, KillPoint, number][] = [
  ['right after the claim', { match: /Starting.*[Oo]ffline system update/ }, 1],
  ['when the attempt is written down', { file: journal, match: /"event":"claimed"/ }, 2],
  ['after the check', { file: journal, match: /"phase":"check"/ }, 2],
  ['when the install begins', { file: journal, match: /"event":"installing"/ }, 2],
  ['in the first unpacking', { file: terminal, match: /Preparing to unpack/ }, 2],
  ['in the midst of unpacking', { file: terminal, match: /Unpacking lab-tiny-010/ }, 2],
  ['in the first configuring', { file: terminal, match: /Setting up/ }, 2],
  ['in the midst of configuring', { file: terminal, match: /Setting up lab-tiny-010/ }, 2],
  ['after the install', { file: journal, match: /"phase":"install"/ }, 2],
  ['after the verification', { file: journal, match: /"phase":"verify"/ }, 2],
  ['when it is installed', { file: journal, match: /"event":"installed"/ }, 1],
  ['when it is about to leave', { file: journal, match: /"note":"leaving"/ }, 1],
];

for (const [moment, killWhen, attempts] of moments) {
  void t.test(`invariant 5: killed ${moment}, the machine comes back updated`, async (t) => {
    const machine = await armedMachine(t, { packages });
    const cut = await machine.boot({ killWhen });
    t.equal(cut.ended, 'killed');
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.strictSame(await versionsOf(machine, packages), updated);
    const { stdout: audit } = await machine.exec('dpkg --audit');
    t.equal(audit, '');
    const status = await statusOf(machine);
    t.equal(status.state, 'confirmed');
    const report = await reportOf(machine, status.id ?? '');
    t.ok(Number(report['attempts']) <= attempts, `no more than ${attempts} attempts were counted`);
  });
}

void t.test('attempts used up: blocked, a normal boot, and never armed again until clean', async (t) => {
  const machine = await armedMachine(t, { packages, config: 'attempts = 2\n' });
  for (const match of [/Unpacking lab-tiny-005/, /"event":"resumed","attempt":2/]) {
    const file = match.source.includes('event') ? journal : terminal;
    t.equal((await machine.boot({ killWhen: { file, match } })).ended, 'killed');
  }
  const boots = await machine.bootUntilSettled();
  t.strictSame(
    boots.map(({ ended }) => ended),
    ['reboot', 'up'],
    'one more update boot to say so, then the normal one',
  );
  await isBackToNormal(t, machine, boots);
  t.match(await statusOf(machine), { state: 'blocked', reason: { code: 'ATTEMPTS_USED_UP' } });
  const trigger = await machine.exec(['offline-update', 'trigger'], { check: false });
  t.notMatch(trigger.exitCode, 0, 'it cannot be armed');
  const prepare = await machine.exec(['offline-update', 'prepare', '--no-refresh'], { check: false });
  t.equal(prepare.exitCode, 5, 'nor prepared anew');
  t.match(prepare.stderr, /offline-update clean/, 'and the person is told what to type');
  await machine.exec(['offline-update', 'clean']);
  t.not((await statusOf(machine)).state, 'blocked');
});

void t.test(
  'a boot led past the update by the kernel command line leaves it armed, and says so',
  async (t) => {
    const machine = await armedMachine(t, { packages: ['lab-good'] });
    await machine.start({ words: ['systemd.unit=multi-user.target'] });
    t.ok(machine.exists('/system-update'));
    t.equal((await statusOf(machine)).state, 'armed');
    t.not(
      (await machine.exec('systemctl is-enabled ctrl-alt-del.target', { check: false })).stdout.trim(),
      'masked',
    );
    await machine.stop();
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
  },
);

const mask = (name: string): string => `/etc/systemd/system/${name.includes('.') ? name : `${name}.service`}`;

/** Cut in the midst of the install; then somebody who wants no more of it masks the units. */
async function cutAndMasked(t: Test, machine: Machine, ...names: string[]): Promise<void> {
  const killWhen = { file: terminal, match: /Unpacking lab-tiny-010/ };
  t.equal((await machine.boot({ killWhen })).ended, 'killed');
  for (const name of names) await machine.link('/dev/null', mask(name));
}

void t.test(
  'invariant 6: with the update service masked after a cut, the shell ends the update',
  async (t) => {
    const resumed = await armedMachine(t, { packages });
    await cutAndMasked(t, resumed, 'offline-update');
    await isBackToNormal(t, resumed, await resumed.bootUntilSettled());
    t.strictSame(await versionsOf(resumed, packages), updated);
    t.equal((await statusOf(resumed)).state, 'confirmed');

    const copied = await armedMachine(t, { packages, config: copying });
    const before = await treeOf(copied);
    await cutAndMasked(t, copied, 'offline-update');
    await isBackToNormal(t, copied, await copied.bootUntilSettled());
    await copied.remove(mask('offline-update'));
    await isAsBefore(t, copied, before);
    t.equal((await statusOf(copied)).state, 'reverted');
  },
);

void t.test(
  'with the rescue masked as well, the machine gets to its login, and goes on when it may',
  async (t) => {
    const machine = await armedMachine(t, { packages, config: copying });
    const names = ['offline-update', 'offline-update-rescue'];
    await cutAndMasked(t, machine, ...names);
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['up'],
    );
    t.match(boots[0]?.console.join('\n'), /systemctl unmask offline-update\.service/);
    t.equal((await statusOf(machine)).state, 'installing');
    await machine.stop();
    for (const name of names) await machine.remove(mask(name));
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'reverted');
  },
);

const nobodyGoesOn = [['system-update.target'], ['offline-update', 'offline-update-guard']];
for (const names of nobodyGoesOn) {
  void t.test(
    `with ${names.join(' and ')} masked, the boot is an ordinary one until it is not`,
    async (t) => {
      const machine = await armedMachine(t, { packages, config: copying });
      await cutAndMasked(t, machine, ...names);
      const boots = await machine.bootUntilSettled();
      t.strictSame(
        boots.map(({ ended, systemState }) => [ended, systemState]),
        [['up', 'running']],
      );
      const { stdout } = await machine.exec('offline-update status');
      t.match(stdout, /^Beware .* masked: the next boot does not go on with the update$/m);
      const [, next = ''] = /^Next +(systemctl unmask .*)$/m.exec(stdout) ?? [];
      await machine.exec(next);
      t.match((await machine.exec('offline-update status')).stdout, /^Next +systemctl reboot$/m);
      await machine.stop();
      await isBackToNormal(t, machine, await machine.bootUntilSettled());
      t.equal((await statusOf(machine)).state, 'reverted');
    },
  );
}

void t.test('with system-update.target masked after the trigger, the update waits', async (t) => {
  const machine = await armedMachine(t, { packages });
  await machine.link('/dev/null', mask('system-update.target'));
  await machine.start();
  const { stdout } = await machine.exec('systemctl is-active graphical.target; offline-update status');
  t.match(stdout, /^active\nState +armed/);
  t.match(stdout, /^Next +systemctl unmask system-update\.target$/m);
  await machine.stop();
  await machine.remove(mask('system-update.target'));
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
});
