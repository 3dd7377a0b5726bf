import t, { type Test } from 'tap';
import type { CommandOutput, Machine } from '../laboratory/laboratory.js';
import {
  armedMachine,
  installedMachine,
  isBackSoftly,
  isBackToNormal,
  statusOf,
  versionsOf,
} from './installed.js';

const ours = '/var/lib/system-update';

/** Runs the command in the booted machine, whatever comes of it. */
function offlineUpdate(machine: Machine, ...words: string[]): Promise<CommandOutput> {
  return machine.exec(['offline-update', ...words], { check: false });
}

async function refuses(
  t: Test,
  machine: Machine,
  words: string[],
  exitCode: number,
  said: RegExp,
): Promise<void> {
  const output = await offlineUpdate(machine, ...words);
  t.equal(output.exitCode, exitCode, `${words.join(' ')} ends with ${exitCode}`);
  t.match(output.stderr, said);
  t.match(output.stderr, /\n {2}(?:next:|why: [^\n]+\n {7})/, 'and says what to do');
}

/** Keeps an fcntl(2) lock, as a package manager does, until the machine ends. */
async function holdLock(machine: Machine, path: string): Promise<void> {
  const script = `open(my $f, ">>", "${path}"); my $l = pack("ssx4qqi", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die; open(my $s, ">", "/run/locked"); close($s); sleep`;
  await machine.exec(
    `rm -f /run/locked; perl -MFcntl -e '${script}' </dev/null >/dev/null 2>&1 & holder=$!; until [ -e /run/locked ]; do kill -0 $holder || exit 1; done`,
  );
}

void t.test('two at once: the second one says who is at work', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await machine.start();
  // Holds the first one up in the midst of its work, with our lock held.
  await machine.write(
    '/usr/local/sbin/apt-get',
    '#!/bin/sh\nmkdir -p /run/lab; echo 1 >/run/lab/asked\nwhile [ ! -e /run/lab/go ]; do sleep 0.05; done\nexec /usr/bin/apt-get "$@"\n',
  );
  const first = offlineUpdate(machine, 'prepare', '--no-refresh');
  await machine.container.waitForLine('/run/lab/asked', () => true);
  const busy =
    /another run of offline-update is at work: .* process \d+ \(.*offline-update\.cjs prepare --no-refresh\)/;
  for (const verb of ['prepare', 'trigger', 'cancel', 'clean']) await refuses(t, machine, [verb], 6, busy);
  t.equal((await statusOf(machine)).state, 'none', 'status needs no lock');
  await machine.exec('touch /run/lab/go');
  t.equal((await first).exitCode, 0, 'the first one comes to its end');
  t.equal((await statusOf(machine)).state, 'prepared');
});

void t.test('while a package manager holds its locks, nothing is prepared', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await machine.start();
  await holdLock(machine, '/var/lib/apt/lists/lock');
  await refuses(t, machine, ['prepare'], 6, /lists\/lock is held by process \d+ \(perl\)/);
  await holdLock(machine, '/var/lib/dpkg/lock-frontend');
  await refuses(t, machine, ['prepare', '--no-refresh'], 6, /lock-frontend is held by process \d+ \(perl\)/);
  t.equal((await statusOf(machine)).state, 'none');
});

void t.test('in the update boot everybody else is told to wait, and status can be read', async (t) => {
  const packages = ['lab-good', 'lab-slow'];
  const machine = await armedMachine(t, { packages });
  // However long the four of them need: the install waits for them.
  await machine.write(
    '/etc/offline-update/after-install.d/hold',
    '#!/bin/sh\nuntil [ -e /run/lab-go ]; do sleep 0.05; done\n',
  );
  const boots = await machine.bootUntilSettled({
    during: async (container) => {
      await container.waitForLine('/var/lib/offline-update/updates/*/term.log', (line) =>
        line.includes('Setting up'),
      );
      const busy = /is being installed in this very boot/;
      const refused = async (): Promise<void> => {
        for (const verb of ['prepare', 'trigger', 'cancel', 'clean'])
          await refuses(t, machine, [verb], 6, busy);
      };
      // Beside each other: the update boot does not wait for us.
      const [{ stdout }] = await Promise.all([offlineUpdate(machine, 'status', '--json'), refused()]);
      await machine.exec('touch /run/lab-go');
      t.match(JSON.parse(stdout), { state: 'installing', contradictions: [], live: { stalled: false } });
    },
  });
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0', 'lab-slow': '2.0' });
});

void t.test('trigger refuses whatever would keep the update from running, and says why', async (t) => {
  const machine = await installedMachine(t, ['lab-good', 'lab-library']);
  await machine.start();
  await refuses(t, machine, ['trigger'], 5, /no update is prepared/);
  await refuses(t, machine, ['cancel'], 4, /no update is armed/);
  await machine.exec(['offline-update', 'prepare', '--no-refresh', 'lab-good']);

  const wants = '/usr/lib/systemd/system/system-update.target.wants/offline-update.service';
  const system = '/etc/systemd/system';
  const cases: [made: string, undone: string, exitCode: number, said: RegExp][] = [
    [
      'ln -s /var/lib/PackageKit/prepared-update /system-update',
      'rm /system-update',
      7,
      /\/system-update points to \/var\/lib\/PackageKit\/prepared-update: an update of PackageKit is armed/,
    ],
    ['ln -s /nowhere /etc/system-update', 'rm /etc/system-update', 7, /an update of another tool is armed/],
    ['mkdir /system-update', 'rmdir /system-update', 7, /is a folder, not a link/],
    [`mv ${wants} /root/wants`, `mv /root/wants ${wants}`, 5, /\[unit-missing\]/],
    [
      `ln -s /dev/null ${system}/offline-update.service`,
      `rm ${system}/offline-update.service`,
      5,
      /offline-update\.service is masked by .*\[unit-masked\]/,
    ],
    [
      'systemctl mask system-update.target',
      'systemctl unmask system-update.target',
      5,
      /system-update\.target is masked by .*\[target-masked\]/,
    ],
    [
      `mkdir -p ${system}-generators; for each in offline-update-generator systemd-system-update-generator; do ln -s /dev/null ${system}-generators/$each; done`,
      `rm -r ${system}-generators`,
      5,
      /nothing would lead into the update boot \[generator-masked\]/,
    ],
    [`chmod o+w ${ours}/packages/*.deb`, `chmod o-w ${ours}/packages/*.deb`, 5, /lab-good_2\.0_all\.deb/],
  ];
  for (const [made, undone, exitCode, said] of cases) {
    await machine.exec(made);
    const before = await machine.exec('ls -ld /system-update /etc/system-update', { check: false });
    await refuses(t, machine, ['trigger'], exitCode, said);
    const after = await machine.exec('ls -ld /system-update /etc/system-update', { check: false });
    t.equal(after.stdout, before.stdout, 'no link is set, and none is removed');
    await machine.exec(undone);
  }
  t.equal((await statusOf(machine)).state, 'prepared', 'none of it costs the plan');

  await machine.exec('dpkg --install /srv/repository/pool/lab-library_2.0_all.deb');
  await refuses(t, machine, ['trigger'], 5, /next: offline-update prepare/);
  t.equal((await statusOf(machine)).state, 'stale');
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);
  await machine.stop();

  const chroot = await machine.run(['offline-update', 'trigger'], { check: false });
  t.equal(chroot.exitCode, 5);
  t.match(chroot.stderr, /systemd does not run here.*\[chroot\]/);

  await machine.start({ words: ['systemd.unit=multi-user.target'] });
  const word = /"systemd\.unit=multi-user\.target" on the kernel command line .*\[kernel-command-line\]/;
  await refuses(t, machine, ['trigger'], 5, word);
});

void t.test('the life of an update, as its person sees it', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await machine.start();
  const tells = async (state: string, human: RegExp): Promise<void> => {
    t.match(await statusOf(machine), { state, contradictions: [] });
    t.match((await offlineUpdate(machine, 'status')).stdout, human);
  };
  await tells('none', /^State +no update is prepared$/m);
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);
  await tells('prepared', /^Next +offline-update trigger$/m);
  await machine.exec(['offline-update', 'trigger']);
  await tells('armed', /^Next +systemctl soft-reboot$/m);
  await refuses(t, machine, ['trigger'], 5, /is armed already/);
  await refuses(t, machine, ['prepare', '--no-refresh'], 5, /next: offline-update cancel/);
  await machine.exec(['offline-update', 'cancel']);
  await tells('prepared', /^Trigger +not set: the next boot is an ordinary one$/m);

  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'offline-update'];
  for (const verb of ['prepare', 'trigger', 'cancel', 'clean']) {
    const { exitCode, stderr } = await machine.exec([...nobody, verb], { check: false });
    t.equal(exitCode, 3, `${verb} is not permitted to everybody`);
    t.match(stderr, /next: sudo offline-update/);
  }
  const seen = await machine.exec([...nobody, 'status'], { check: false });
  t.equal(seen.exitCode, 0, seen.stderr);
  t.match(seen.stdout, /^State +prepared/m, 'status is for everybody');

  // The command may die with the machine, before it can end.
  await offlineUpdate(machine, 'trigger', '--now').catch(() => undefined);
  await isBackSoftly(t, machine);
  await tells('confirmed', /^Next +offline-update prepare$/m);

  const { id } = await statusOf(machine);
  const history = await machine.exec(['offline-update', 'history']);
  t.match(history.stdout, new RegExp(`${id ?? ''}.*confirmed`));
  const report = await machine.exec(['offline-update', 'report']);
  t.match(report.stdout, /lab-good.*1\.0.*2\.0/);
  t.match(
    report.stdout,
    /^Away +\d+ s: \d+ s down, \d+ s installing, \d+ s up$/m,
    'from the request of the reboot',
  );
  const log = await machine.exec(['offline-update', 'log']);
  t.match(log.stdout, /Setting up lab-good \(2\.0\)/);
  t.match(await offlineUpdate(machine, 'prepare', '--no-refresh'), {
    exitCode: 4,
    stderr: /there is nothing to update/,
  });
  await refuses(t, machine, ['report', '20000101T000000-0000'], 2, /20000101T000000-0000/);
});
