import { mkdir, rename } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import { processStart } from './processes.js';
import {
  Machine,
  archiveUnreachable,
  buildDeb,
  command,
  debOf,
  enableRealUpdates,
  ensureHostPackages,
  fixturePackages,
  laboratoryFolder,
  machineWithVersion1,
  putRepository,
  repackedPackages,
  rootImage,
  tinyPackages,
  treeDifference,
  withArchive,
} from './laboratory.js';

if (process.getuid?.() !== 0) t.bailout('the boot laboratory needs root');
await ensureHostPackages();

const updateUnit = `[Unit]
DefaultDependencies=no
Requires=sysinit.target
After=sysinit.target
Before=system-update.target shutdown.target
FailureAction=reboot
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/lab-update
`;

/** A machine whose next boot runs `script` in system-update.target. */
async function armedMachine(test: Test, script: string): Promise<Machine> {
  const machine = await Machine.on(await rootImage());
  test.teardown(() => machine.dispose());
  await machine.write('/usr/local/sbin/lab-update', `#!/bin/sh\nrm /system-update\n${script}\n`);
  await machine.write('/usr/lib/systemd/system/lab-update.service', updateUnit);
  await machine.link(
    '../lab-update.service',
    '/usr/lib/systemd/system/system-update.target.wants/lab-update.service',
  );
  await machine.link('var/lib/lab', '/system-update');
  return machine;
}

async function plainMachine(test: Test): Promise<Machine> {
  const machine = await Machine.on(await rootImage());
  test.teardown(() => machine.dispose());
  return machine;
}

void t.test('a machine left by a killed process is swept away', async (t) => {
  const machines = join(laboratoryFolder(), 'machines');
  const building = join(machines, `${process.pid}-${processStart(process.pid)}-left`);
  const stale = join(machines, `1-0-${process.pid}`);
  await mkdir(join(building, 'storage'), { recursive: true });
  await command(['mount', '-t', 'tmpfs', 'laboratory', join(building, 'storage')]);
  await rename(building, stale);
  await plainMachine(t);
  t.equal(existsSync(stale), false);
});

void t.test('a machine runs commands, boots, answers, stops and leaves a journal', async (t) => {
  const machine = await plainMachine(t);
  t.strictSame(
    await machine.run('read line; echo "$line $WORD"; exit 3', {
      input: 'in\n',
      env: { WORD: 'env' },
      check: false,
    }),
    {
      exitCode: 3,
      signal: undefined,
      stdout: 'in env\n',
      stderr: '',
    },
  );
  await t.rejects(machine.run(['false']), { name: 'LaboratoryError', message: /ended with 1/ });
  const before = await machine.tree();

  const boot = await machine.start();
  t.equal(boot.systemState, 'running', 'nothing is degraded');
  t.strictSame(
    await machine.exec('env | sort; cat; exit 4', { env: { A: 'b' }, input: 'in\n', check: false }),
    {
      exitCode: 4,
      signal: undefined,
      stdout:
        'A=b\nHOME=/root\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\nTERM=dumb\nin\n',
      stderr: '',
    },
  );
  t.equal((await machine.exec('test -t 1 && stty size', { tty: true })).stdout, '24 80\r\n');
  t.equal((await machine.exec('ls /sys/class/net')).stdout, 'lo\n', 'there is no network');
  await t.rejects(machine.run(['true']), { message: 'the machine is booted: use exec' });
  await machine.exec(['logger', 'said in the laboratory']);
  await machine.stop();

  t.strictSame(treeDifference(before, await machine.tree()), [], 'a boot changes nothing else');
  const said = (await machine.journal({ boot: 0 })).find((row) => row.message === 'said in the laboratory');
  t.ok(said && said.monotonicSeconds > boot.startedSeconds, 'the clocks are the same');
});

void t.test('an update boot ends in a reboot and the next boot is up', async (t) => {
  const machine = await armedMachine(t, 'echo lab: updating; systemctl --no-block reboot');
  const [update, normal, ...more] = await machine.bootUntilSettled();
  t.match([update?.ended, normal?.ended, more], ['reboot', 'up', []]);
  const boots = new Set((await machine.journal()).map((row) => row.bootId));
  t.equal(boots.size, 2);
  t.match(
    (await machine.journal({ boot: 1, unit: 'lab-update.service' })).map((row) => row.message),
    ['lab: updating'],
  );
  const end = machine.waitForEnd();
  await machine.exec(['systemctl', '--no-block', 'reboot']);
  t.equal((await end).ended, 'reboot');
});

void t.test(
  'a boot is killed at a line of a file, at a line of the console, or when its time is up',
  async (t) => {
    const script = 'echo one >> /var/lib/lab.log; echo two >> /var/lib/lab.log; exec sleep infinity';
    for (const killWhen of [{ file: '/var/*/lab.log', match: /^two$/ }, { match: /Starting.*lab-update/ }]) {
      const machine = await armedMachine(t, script);
      const boot = await machine.boot({ killWhen });
      t.equal(boot.ended, 'killed');
      t.equal((await machine.boot()).ended, 'reboot', 'the next boot of the same root');
    }
    const hanging = await armedMachine(t, script);
    t.equal((await hanging.boot({ timeoutSeconds: 1 })).ended, 'timeout');
    t.equal(await hanging.read('/var/lib/lab.log'), 'one\ntwo\n', 'what was written is there');
  },
);

void t.test('one process can be killed beside the boot', async (t) => {
  const machine = await armedMachine(t, 'echo begun > /run/lab-begun; exec sleep infinity');
  const boot = await machine.boot({
    during: async (container) => {
      await container.waitForLine('/run/lab-begun', (line) => line === 'begun');
      await container.exec(['systemctl', 'kill', '--signal=KILL', 'lab-update.service']);
    },
  });
  t.equal(boot.ended, 'reboot', 'by FailureAction');
});

void t.test('a soft-reboot is seen inside one boot', async (t) => {
  const machine = await armedMachine(t, 'exec systemctl --no-block soft-reboot');
  const boots = await machine.bootUntilSettled();
  t.match(boots, [{ ended: 'up', softReboots: 1 }]);
});

void t.test('a frozen machine is the ground of others, which do not see each other', async (t) => {
  const first = await plainMachine(t);
  await first.write('/etc/lab', 'frozen\n');
  await first.run('mkdir /srv/folder; echo 1 > /srv/folder/file');
  const layer = await first.freeze();
  const [one, other] = [await Machine.on(layer), await Machine.on(layer)];
  t.teardown(() => one.dispose());
  t.teardown(() => other.dispose());
  t.equal(await one.treeHash(), await other.treeHash());
  const before = await one.tree();
  await one.write('/etc/lab', 'changed\n');
  await one.write('/etc/added', '#!/bin/sh\n');
  await one.remove('/etc/hostname');
  await one.run('mv --exchange -T /srv/folder /home; chmod 700 /opt');
  t.strictSame(treeDifference(before, await one.tree()), [
    '+ /etc/added',
    '- /etc/hostname',
    '! /etc/lab',
    '+ /home/file',
    '! /opt',
    '- /srv/folder/file',
  ]);
  t.strictSame(treeDifference(before, await other.tree()), []);
  t.strictSame(treeDifference(before, await one.tree({ exclude: [/./] })).length, before.size);
});

void t.test('apt accepts a signed repository and refuses an unsigned or a weakly hashed one', async (t) => {
  const deb = debOf({ name: 'lab-deb', version: '1:1.0-1', files: { '/usr/share/lab-deb/file': 'text' } });
  const update = async (options: Parameters<typeof putRepository>[2]) => {
    const machine = await plainMachine(t);
    await putRepository(machine, [deb], options);
    const { exitCode, stdout } = await machine.run('apt-get update 2>&1 && apt-get -y install lab-deb 2>&1', {
      check: false,
    });
    const status = await machine.run(['dpkg-query', '-W', '-f${db:Status-Abbrev}${Version}', 'lab-deb'], {
      check: false,
    });
    return { exitCode, stdout, installed: status.stdout };
  };
  t.match(await update({}), { exitCode: 0, installed: 'ii 1:1.0-1' });
  t.match(await update({ source: { 'Signed-By': '/usr/share/keyrings/debian-archive-keyring.gpg' } }), {
    exitCode: 100,
    stdout: /is not signed/,
    installed: '',
  });
  t.match(await update({ signed: false }), { exitCode: 100, stdout: /is not signed/, installed: '' });
  t.match(await update({ signed: false, source: { Trusted: 'yes' } }), {
    exitCode: 0,
    installed: 'ii 1:1.0-1',
  });
  t.match(await update({ hashes: 'md5' }), { exitCode: 100, installed: '' });
});

void t.test('dpkg reads a built package as it was meant', async (t) => {
  const path = await buildDeb(t.testdir(), {
    name: 'lab-deb',
    version: '2:1.0',
    files: { '/usr/bin/lab': '#!/bin/sh\n', '/etc/lab.conf': 'x' },
    links: { '/usr/bin/link': 'lab' },
    conffiles: ['/etc/lab.conf'],
    scripts: { postinst: 'true' },
    sizeBytes: 2048,
    control: { Homepage: 'http://localhost/' },
  });
  const { stdout } = await command(['dpkg-deb', '--contents', path]);
  t.strictSame(
    stdout
      .trim()
      .split('\n')
      .map((line) =>
        line
          .split(/\s+/)
          .filter((_, index) => ![3, 4].includes(index))
          .join(' '),
      ),
    [
      'drwxr-xr-x root/root 0 ./',
      'drwxr-xr-x root/root 0 ./etc/',
      'drwxr-xr-x root/root 0 ./usr/',
      'drwxr-xr-x root/root 0 ./usr/bin/',
      'drwxr-xr-x root/root 0 ./usr/share/',
      'drwxr-xr-x root/root 0 ./usr/share/lab-deb/',
      '-rwxr-xr-x root/root 10 ./usr/bin/lab',
      '-rw-r--r-- root/root 1 ./etc/lab.conf',
      '-rw-r--r-- root/root 2048 ./usr/share/lab-deb/payload',
      'lrwxrwxrwx root/root 0 ./usr/bin/link -> lab',
    ],
  );
  const control = t.testdir();
  await command(['dpkg-deb', '--control', path, join(control, 'DEBIAN')]);
  t.matchOnly(
    (
      await command(['sh', '-c', 'cat postinst conffiles; stat -c %a postinst'], {
        cwd: join(control, 'DEBIAN'),
      })
    ).stdout,
    '#!/bin/sh\nset -e\ntrue\n/etc/lab.conf\n755\n',
  );
});

void t.test(
  'version 1 of every fixture is installed whole and version 2 of the good ones upgrades',
  async (t) => {
    const layer = await machineWithVersion1([...fixturePackages.keys()]);
    const machine = await Machine.on(layer);
    t.teardown(() => machine.dispose());
    const list = 'dpkg-query -W -f "${Package} ${Version} ${db:Status-Abbrev}\n" "lab-*"';
    const installed = (await machine.run(list)).stdout.trim().split('\n');
    t.equal(
      installed.filter((line) => / (1:)?1\.0(-1)? ii $/.test(`${line} `)).length,
      fixturePackages.size - 1,
    );
    t.equal((await machine.run('dpkg --audit')).stdout, '');
    await machine.run('apt-mark hold lab-postinst-fails lab-preinst-fails lab-hangs');
    await machine.run('apt-get -y -o Dpkg::Options::=--force-confold dist-upgrade', {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
    t.strictSame(
      (await machine.run(`${list} | grep -v tiny`)).stdout
        .trim()
        .split('\n')
        .map((line) => line.trim()),
      [
        'lab-asks 2.0 ii',
        'lab-big 2.0 ii',
        'lab-conffile 2.0 ii',
        'lab-debconf 2.0 ii',
        'lab-epoch 1:2.0-1+b1 ii',
        'lab-good 2.0 ii',
        'lab-hangs 1.0 hi',
        'lab-leaves-child 2.0 ii',
        'lab-library 2.0 ii',
        'lab-more 2.0 ii',
        'lab-needs-more 2.0 ii',
        'lab-new 2.0 ii',
        'lab-postinst-fails 1.0 hi',
        'lab-preinst-fails 1.0 hi',
        'lab-program 2.0 ii',
        'lab-service 2.0 ii',
        'lab-slow 2.0 ii',
        'lab-trigger 2.0 ii',
      ],
    );
    t.equal(tinyPackages(2).join(), 'lab-tiny-001,lab-tiny-002');
  },
);

void t.test(
  'systemd and node are packed again, with what depends on exactly them, and upgrade',
  async (t) => {
    const layer = await rootImage();
    const debs = await repackedPackages(layer, ['nodejs', 'systemd']);
    const names = debs.map((deb) => deb.spec.name);
    t.strictSame(names, ['libpam-systemd', 'nodejs', 'systemd', 'systemd-sysv']);
    const machine = await plainMachine(t);
    const before = await machine.tree();
    await putRepository(machine, debs);
    await machine.run('apt-get update && apt-get -y dist-upgrade', {
      env: { DEBIAN_FRONTEND: 'noninteractive' },
    });
    const versions = await machine.run(['dpkg-query', '-W', '-f${Version}\n', ...names]);
    t.match(versions.stdout, /^(\S+\+lab1\n){4}$/);
    const exclude = [/^\/var\/(cache|log|lib\/(apt|dpkg))\//, /^\/etc\/apt\//, /^\/srv\/repository/];
    t.strictSame(
      treeDifference(before, await machine.tree()).filter(
        (line) => !exclude.some((each) => each.test(line.slice(2))),
      ),
      [],
    );
  },
);

void t.test(
  'the real updates of Debian are offered',
  { skip: (await archiveUnreachable()) ?? false },
  async (t) => {
    const machine = await plainMachine(t);
    await enableRealUpdates(machine);
    await machine.run('apt-get update', withArchive);
    const { stdout } = await machine.run('apt-cache policy');
    t.match(stdout, /trixie-security\/main/);
    const offline = await machine.run('apt-get -o Acquire::Retries=0 update', { check: false });
    t.match(offline.stderr, /Failed to fetch/, 'but not without the network');
  },
);
