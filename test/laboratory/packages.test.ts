import t from 'tap';
import {
  archiveUnreachable,
  buildDeb,
  command,
  debOf,
  debianArchive,
  enableRealUpdates,
  fixturePackages,
  machineFor,
  machineWithVersion1,
  putRepository,
  repackedPackages,
  rootImage,
  tinyPackages,
  treeDifference,
  withArchive,
} from './laboratory.js';

if (process.getuid?.() !== 0) t.bailout('the boot laboratory needs root');

void t.test('the archive is read from both forms of sources', async (t) => {
  const folder = t.testdir({
    'os-release': 'ID=debian\nVERSION_CODENAME=trixie\n',
    oneLine: {
      'sources.list':
        '# deb http://no.invalid trixie main\ndeb [arch=amd64] http://one.invalid/debian trixie main\ndeb http://one.invalid/security trixie-security main\n',
    },
    stanzas: {
      'sources.list.d': {
        'debian.sources':
          '# comment\nTypes: deb deb-src\nURIs: http://two.invalid/debian\nSuites: trixie-updates\n trixie\nComponents: main\n\nTypes: deb-src\nURIs: http://no.invalid\nSuites: trixie-security\n',
      },
    },
    none: {},
  });
  const release = `${folder}/os-release`;
  t.strictSame(await debianArchive(`${folder}/oneLine`, release), {
    main: 'http://one.invalid/debian',
    security: 'http://one.invalid/security',
  });
  t.strictSame(await debianArchive(`${folder}/stanzas`, release), {
    main: 'http://two.invalid/debian',
    security: undefined,
  });
  await t.rejects(debianArchive(`${folder}/none`, release), {
    message: `no source for the suite trixie in ${folder}/none: is this machine a Debian?`,
  });
});

void t.test('apt accepts a signed repository and refuses an unsigned or a weakly hashed one', async (t) => {
  const deb = debOf({ name: 'lab-deb', version: '1:1.0-1', files: { '/usr/share/lab-deb/file': 'text' } });
  const update = async (options: Parameters<typeof putRepository>[2]) => {
    const machine = await machineFor(t);
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
  const control = `${path}.control`;
  await command(['dpkg-deb', '--control', path, control]);
  t.matchOnly(
    (
      await command(['sh', '-c', 'cat postinst conffiles; stat -c %a postinst'], {
        cwd: control,
      })
    ).stdout,
    '#!/bin/sh\nset -e\ntrue\n/etc/lab.conf\n755\n',
  );
});

void t.test(
  'version 1 of every fixture is installed whole and version 2 of the good ones upgrades',
  async (t) => {
    // Of those that there are by the thousand, or that are large, for the benchmarks, a few.
    const names = [...fixturePackages.keys()].filter((name) => !/^lab-(large-|tiny-(?!00\d$))/.test(name));
    const layer = await machineWithVersion1(names);
    const machine = await machineFor(t, layer);
    const format = '${Package} ${Version} ${db:Status-Abbrev}\\n';
    const list = `dpkg-query -W -f '${format}' 'lab-*'`;
    const installed = (await machine.run(list)).stdout.trim().split('\n');
    t.equal(installed.filter((line) => / (1:)?1\.0(-1)? ii$/.test(line.trim())).length, names.length - 1);
    t.equal((await machine.run('dpkg --audit')).stdout, '');
    // The last one calls a program that only machines with a boot loader have.
    await machine.run('apt-mark hold lab-postinst-fails lab-preinst-fails lab-hangs lab-boot-loader');
    await machine.run('apt-get -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold dist-upgrade', {
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
        'lab-boot-loader 1.0 hi',
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
        'lab-old  un',
        'lab-postinst-fails 1.0 hi',
        'lab-preinst-fails 1.0 hi',
        'lab-program 2.0 ii',
        'lab-service 2.0 ii',
        'lab-slow 2.0 ii',
        'lab-syncs 2.0 ii',
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
    const names = debs.map((deb) => deb.spec.name).sort();
    t.strictSame(names, ['libpam-systemd', 'nodejs', 'systemd', 'systemd-sysv']);
    const machine = await machineFor(t);
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
      ['/usr/share/repacked', ...names.map((name) => `/usr/share/repacked/${name}`)].map(
        (path) => `+ ${path}`,
      ),
      'only the file that tells the versions apart is new',
    );
  },
);

void t.test(
  'the real updates of Debian are offered',
  { skip: (await archiveUnreachable()) ?? false },
  async (t) => {
    const machine = await machineFor(t);
    await enableRealUpdates(machine);
    await machine.run('apt-get update', withArchive);
    const { stdout } = await machine.run('apt-cache policy');
    t.match(stdout, /trixie-security\/main/);
    const offline = await machine.run('apt-get -o Acquire::Retries=0 update', { check: false });
    t.match(offline.stderr, /Failed to fetch/, 'but not without the network');
  },
);
