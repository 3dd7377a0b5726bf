/** The life of the Debian package on a Debian 13: installed, upgraded, removed, purged (issue 2, item 8). */
import { copyFile, mkdir, readlink } from 'node:fs/promises';
import t from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import { Machine, rootImage, treeDifference } from '../laboratory/laboratory.js';
import { copying, isAsBefore, treeOf } from './copy-machines.js';
import { armedMachine, installedMachine, isBackToNormal, statusOf } from './installed.js';

/** What apt and dpkg note about every package. */
const books = [
  '/var/cache/apt',
  '/var/lib/apt',
  '/var/cache/debconf',
  /^\/var\/lib\/dpkg\/(status|available|lock|triggers|diversions)/,
  /^\/var\/log\/(dpkg\.log|apt|alternatives\.log)/,
];

async function debianWithPackage(): Promise<Machine> {
  const machine = await Machine.on(await rootImage());
  t.teardown(() => machine.dispose());
  await copyFile(packageUnderTest(), machine.path('/srv/offline-update.deb'));
  return machine;
}

const install = 'apt-get install --yes /srv/offline-update.deb';

/** What a prepared, armed and claimed update leaves on disk, and a history. */
async function makeState(machine: Machine): Promise<void> {
  await machine.write('/var/lib/system-update/plan.json', '{}\n');
  await machine.write('/var/lib/system-update/packages/a.deb', 'a');
  await machine.write('/var/lib/system-update.next/plan.json', '{}\n');
  await machine.write('/var/lib/system-update.former/plan.json', '{}\n');
  await machine.write('/var/lib/offline-update/updates/1/journal.jsonl', '{}\n');
  await machine.write('/var/lib/offline-update/claims', 'boot\n');
  await machine.link('updates/1', '/var/lib/offline-update/open');
  await machine.link('/var/lib/system-update', '/system-update');
  await machine.link('/var/lib/system-update', '/system-update.claimed');
}

void t.test('apt installs the package and everything is in its place', async (t) => {
  const machine = await debianWithPackage();
  const before = await machine.tree({ exclude: books });
  await machine.run(install);
  const added = treeDifference(before, await machine.tree({ exclude: books }));

  t.strictSame(
    added.filter((line) => !line.startsWith('+ ')),
    [],
    'nothing that was there is changed',
  );
  const wanted = [
    '/usr/bin/offline-update',
    ...[
      'claim',
      'begin',
      'ahead',
      'read-ahead',
      'rescue',
      'guard',
      'offline-update.cjs',
      'generator.cjs',
      'update-service.cjs',
    ].map((name) => `/usr/lib/offline-update/${name}`),
    ...['config.toml', 'config.d', 'health.d', 'before-install.d', 'after-install.d'].map(
      (name) => `/etc/offline-update/${name}`,
    ),
    '/usr/lib/systemd/system-generators/offline-update-generator',
    '/usr/lib/systemd/system/offline-update.service',
    '/usr/lib/systemd/system/system-update.target.wants/offline-update.service',
    '/usr/share/bash-completion/completions/offline-update',
    '/usr/share/doc/offline-update/THIRD-PARTY-NOTICES.gz',
    '/usr/share/man/man8/offline-update.8.gz',
  ];
  t.strictSame(
    wanted.filter((path) => !added.includes(`+ ${path}`)),
    [],
  );
  const links = await machine.run(
    'find /usr/lib/systemd/system /usr/bin/offline-update -xtype l -path "*offline-update*"',
  );
  t.equal(links.stdout, '', 'no link of the package dangles');

  const { stdout } = await machine.run('offline-update --version');
  const { stdout: version } = await machine.run(
    `dpkg-query --show --showformat='\${Version}\\n' offline-update`,
  );
  t.equal(stdout, version);
});

void t.test('an upgrade of the package leaves an update in progress as it is', async (t) => {
  const machine = await debianWithPackage();
  await machine.run(install);
  await makeState(machine);
  await machine.write('/etc/offline-update/config.toml', 'attempts = 5\n');
  const exclude = [...books, '/var/cache/offline-update'];
  const before = await machine.tree({ exclude });
  await machine.run(`${install} --reinstall`);
  t.strictSame(treeDifference(before, await machine.tree({ exclude })), []);
  const { stdout } = await machine.run('ls /var/cache/offline-update');
  t.equal(stdout.trim().split('\n').length, 2, 'one snapshot of each program is kept');
});

void t.test('removal disarms, and leaves the history; purge leaves nothing', async (t) => {
  const machine = await debianWithPackage();
  const before = await machine.tree({ exclude: books });
  await machine.run(install);
  await makeState(machine);
  await machine.run('apt-get remove --yes offline-update');
  const left = treeDifference(before, await machine.tree({ exclude: books }));
  t.strictSame(left, [
    '+ /etc/apt/apt.conf.d/80offline-update',
    '+ /etc/offline-update',
    '+ /etc/offline-update/config.toml',
    '+ /var/lib/dpkg/info/offline-update.list',
    '+ /var/lib/dpkg/info/offline-update.postrm',
    '+ /var/lib/offline-update',
    '+ /var/lib/offline-update/updates',
    '+ /var/lib/offline-update/updates/1',
    '+ /var/lib/offline-update/updates/1/journal.jsonl',
  ]);

  await machine.write('/etc/offline-update/health.d/mine', '#!/bin/sh\n');
  await machine.run('apt-get purge --yes offline-update');
  t.strictSame(treeDifference(before, await machine.tree({ exclude: books })), []);
});

void t.test('invariant 1: removal leaves the armed update of another tool alone', async (t) => {
  const machine = await debianWithPackage();
  await machine.run(install);
  await mkdir(machine.path('/var/lib/PackageKit/prepared-update'), { recursive: true });
  await machine.link('/var/lib/PackageKit/prepared-update', '/system-update');
  await machine.run('apt-get purge --yes offline-update');
  t.equal(await readlink(machine.path('/system-update')), '/var/lib/PackageKit/prepared-update');
});

void t.test('invariant 5: an update that removes the package keeps its files and its claim', async (t) => {
  const machine = await debianWithPackage();
  await machine.run(install);
  await makeState(machine);
  // As in the update boot: the service is at work.
  await machine.write('/usr/bin/systemctl', '#!/bin/sh\necho ActiveState=activating\n');
  await machine.run('apt-get remove --yes offline-update');
  t.equal(await machine.read('/var/lib/system-update/packages/a.deb'), 'a');
  t.equal(await readlink(machine.path('/system-update.claimed')), '/var/lib/system-update');
});

void t.test('what is at work is stopped or waited for before its stage is taken away', async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await machine.start();
  const tool = '/usr/local/sbin/apt-get';
  await machine.write(tool, '#!/bin/sh\necho 1 >/run/asked\nwhile [ ! -e /run/go ]; do sleep 0.05; done\n');
  await machine.exec(`chmod 755 ${tool}; systemctl start --no-block offline-update-prepare.service`);
  await machine.container.waitForLine('/run/asked', () => true);
  await copyFile(packageUnderTest(), machine.path('/srv/own.deb'));
  await machine.exec('dpkg --remove offline-update');
  const running = await machine.exec('systemctl list-units --all --plain --no-legend "offline-update*"');
  t.equal(running.stdout, '', 'nothing of it runs, and nothing has failed');
  t.notOk(machine.exists('/var/lib/system-update.next'));

  // somebody's command, in the midst of its work until the removal waits for it
  await machine.exec('dpkg --install /srv/own.deb && mkdir -p /var/lib/system-update.next');
  const holder = `touch /run/held
    until grep -qe '-> FLOCK' /proc/locks || [ ! -e /var/lib/system-update.next ]; do :; done
    [ ! -e /var/lib/system-update.next ] || touch /run/was-waited-for`;
  await machine.exec(`mkdir -p /run/offline-update
    flock /run/offline-update/lock sh -c "${holder}" </dev/null >/dev/null 2>&1 & until [ -e /run/held ]; do :; done; dpkg --remove offline-update`);
  await machine.exec('test -e /run/was-waited-for');
  t.notOk(machine.exists('/var/lib/system-update.next'));
});

void t.test('past an interrupted update the package stays, and with it the way back', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-conffile', 'lab-slow'], config: copying });
  const before = await treeOf(machine);
  const killWhen = { file: '/var/lib/offline-update/updates/*/term.log', match: /Unpacking lab-slow/ };
  t.equal((await machine.boot({ killWhen })).ended, 'killed');
  await machine.start({ words: ['systemd.unit=multi-user.target'] });
  const removal = await machine.exec('dpkg --remove offline-update', { check: false });
  t.not(removal.exitCode, 0);
  t.match(removal.stderr, /an update was interrupted[^]*next: systemctl reboot/);
  await machine.stop();
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  await isAsBefore(t, machine, before);
  t.equal((await statusOf(machine)).state, 'reverted');
});
