import t from 'tap';
import {
  armedMachine,
  isBackAfterOneReboot,
  isBackToNormal,
  reportOf,
  statusOf,
  versionsOf,
  type Scenario,
} from './installed.js';

const quickStall = 'stallTimeoutSeconds = 3\n';

void t.test(
  'invariant 9: a failing postinst ends as failed, with the package named, never as success',
  async (t) => {
    const packages = ['lab-good', 'lab-postinst-fails'];
    const machine = await armedMachine(t, { packages });
    const boots = await machine.bootUntilSettled();
    await isBackAfterOneReboot(t, machine, boots);
    t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0', 'lab-postinst-fails': 'iF 2.0' });
    const status = await statusOf(machine);
    t.match(status, { state: 'failed', reason: { code: 'INSTALL_FAILED', message: /lab-postinst-fails/ } });
    t.match(await reportOf(machine, status.id ?? ''), { state: 'failed', attempts: 1 });
  },
);

void t.test('a failing preinst leaves that package old and makes the others whole', async (t) => {
  const packages = ['lab-good', 'lab-preinst-fails'];
  const machine = await armedMachine(t, { packages });
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0', 'lab-preinst-fails': '1.0' });
  t.match(await statusOf(machine), { state: 'failed', reason: { code: 'INSTALL_FAILED' } });
});

void t.test(
  'invariant 10: a hanging postinst is told as a stall, the others are made whole, and the machine leaves',
  async (t) => {
    const packages = ['lab-good', 'lab-hangs'];
    const machine = await armedMachine(t, { packages, config: quickStall });
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    const versions = await versionsOf(machine, packages);
    t.equal(versions['lab-good'], '2.0');
    t.match(await statusOf(machine), {
      state: 'failed',
      reason: { code: 'INSTALL_STALLED', message: /lab-hangs/ },
    });
  },
);

void t.test('invariant 10: a script that works in silence for longer than that is no stall', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-slow'], config: 'stallTimeoutSeconds = 2\n' });
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
});

void t.test(
  'what asks gets no answer, what leaves a child holds nothing up, a changed conffile is kept and told',
  async (t) => {
    const packages = [
      'lab-asks',
      'lab-debconf',
      'lab-leaves-child',
      'lab-conffile',
      'lab-service',
      'lab-trigger',
    ];
    const machine = await armedMachine(t, {
      packages,
      async before(machine) {
        const hook = 'cat >/var/log/hook-of-another';
        await machine.write('/etc/apt/apt.conf.d/80another', `DPkg::Pre-Install-Pkgs { "${hook}"; };\n`);
        const preconfigure = '/usr/sbin/dpkg-preconfigure';
        await machine.write(preconfigure, '#!/bin/sh\n: >/var/log/preconfigured\n');
      },
    });
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.strictSame(
      await versionsOf(machine, packages),
      Object.fromEntries(packages.map((name) => [name, '2.0'])),
    );
    t.equal(await machine.read('/etc/lab-debconf.answer'), 'default2\n', 'debconf has its default');
    t.notOk(machine.exists('/var/log/preconfigured'), 'and nobody was to be asked ahead');
    t.match(await machine.read('/var/log/hook-of-another'), /lab-debconf_2\.0/, 'another’s hook is told all');
    const status = await statusOf(machine);
    t.equal(status.state, 'confirmed');
    t.match(await reportOf(machine, status.id ?? ''), {
      conffiles: [{ path: '/etc/lab-conffile.conf', leftover: '/etc/lab-conffile.conf.dpkg-dist' }],
    });
    t.match(await machine.read('/etc/lab-conffile.conf'), /as the administrator wants it/);
    const log = await machine.exec(['offline-update', 'log', status.id ?? '']);
    t.match(log.stdout, /lab: asking/);
    t.notMatch(log.stdout, /lab: after restart active/, 'no service is started in the update boot');
  },
);

const tampering: [string, string, NonNullable<Scenario['before']>][] = [
  [
    'a changed byte',
    'STAGE_TAMPERED',
    (m) => m.run(`printf X | dd of=${deb} bs=1 seek=100 conv=notrunc status=none`),
  ],
  ['a truncated file', 'STAGE_TRUNCATED', (m) => m.run(`truncate -s 10 ${deb}`)],
  ['a missing file', 'STAGE_FILE_MISSING', (m) => m.run(`rm ${deb}`)],
  [
    'two files swapped',
    'STAGE_SWAPPED',
    (m) => m.run(`mv ${deb} /tmp/x; mv ${other} ${deb}; mv /tmp/x ${other}`),
  ],
  ['a symlink', 'STAGE_SYMLINK', (m) => m.run(`mv ${deb} /srv/elsewhere; ln -s /srv/elsewhere ${deb}`)],
  ['a world-writable file', 'STAGE_WORLD_WRITABLE', (m) => m.run(`chmod o+w ${deb}`)],
  [
    'an added file',
    'STAGE_UNEXPECTED_FILE',
    (m) => m.run('install -m 600 /dev/null /var/lib/system-update/more'),
  ],
  ['another plan', 'PLAN_TAMPERED', (m) => m.run('echo >> /var/lib/system-update/plan.json')],
];
const deb = '/var/lib/system-update/packages/lab-good_2.0_all.deb';
const other = '/var/lib/system-update/packages/lab-library_2.0_all.deb';

for (const [what, code, tamper] of tampering) {
  void t.test(
    `invariant 7: ${what} in the stage is refused as ${code} before anything changes`,
    async (t) => {
      const packages = ['lab-good', 'lab-library'];
      const machine = await armedMachine(t, { packages });
      await tamper(machine);
      const boots = await machine.bootUntilSettled();
      await isBackAfterOneReboot(t, machine, boots);
      t.match(await statusOf(machine), { state: 'refused', reason: { code } });
      t.strictSame(await versionsOf(machine, packages), { 'lab-good': '1.0', 'lab-library': '1.0' });
    },
  );
}

void t.test('drift: a package changed after the trigger, nothing is installed', async (t) => {
  const packages = ['lab-good', 'lab-library'];
  const machine = await armedMachine(t, { packages });
  await machine.run('dpkg --install /srv/repository/pool/lab-library_2.0_all.deb');
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.match(await statusOf(machine), { state: 'refused', reason: { code: 'DRIFT' } });
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '1.0', 'lab-library': '2.0' });
});

void t.test(
  'hooks run around the install in byte order; one that fails before it refuses the update',
  async (t) => {
    const machine = await armedMachine(t, { packages: ['lab-good'] });
    const said = 'echo "$0 $(dpkg-query -W -f \'${Version}\' lab-good)" >> /var/lib/hooks';
    await machine.write('/etc/offline-update/before-install.d/10-one', `#!/bin/sh\n${said}\n`);
    await machine.write('/etc/offline-update/before-install.d/10-one.dpkg-old', '#!/bin/sh\nexit 1\n');
    await machine.write('/etc/offline-update/after-install.d/20-two', `#!/bin/sh\n${said}\n`);
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.equal(
      await machine.read('/var/lib/hooks'),
      '/etc/offline-update/before-install.d/10-one 1.0\n/etc/offline-update/after-install.d/20-two 2.0\n',
    );

    const refused = await armedMachine(t, { packages: ['lab-good'] });
    await refused.write(
      '/etc/offline-update/before-install.d/10-one',
      '#!/bin/sh\necho no backup today\nexit 7\n',
    );
    await isBackToNormal(t, refused, await refused.bootUntilSettled());
    t.match(await statusOf(refused), {
      state: 'refused',
      reason: { code: 'HOOK_FAILED', message: /10-one ended with 7: no backup today/ },
    });
    t.strictSame(await versionsOf(refused, ['lab-good']), { 'lab-good': '1.0' });
  },
);

// Node.js itself, on Debian: the program is a launcher.
const library = '/usr/lib/*/libnode.so.*';

for (const [what, breaks, mends, message] of [
  [
    'program',
    'chmod a-x /usr/bin/node',
    'chmod a+x /usr/bin/node',
    /^\/usr\/bin\/node changed, and Node\.js does not start: .*EACCES$/,
  ],
  [
    'library',
    `for file in ${library}; do mv $file /srv/; done`,
    'mv /srv/libnode.so.* "$(dirname /usr/lib/*/libc.so.6)"',
    /^\/usr\/lib\/\S+\/libnode\.so\.\d+ changed, and the program that confirms ended with 127: .*libnode/,
  ],
] as const) {
  void t.test(
    `invariant 9: a Node.js whose ${what} nobody can start any more is told before it is needed`,
    async (t) => {
      const machine = await armedMachine(t, { packages: ['lab-good'] });
      const act = `if [ -e /run/offline-update/update-boot ]; then ${breaks}; fi || :`;
      await machine.write('/etc/dpkg/dpkg.cfg.d/breaks-node', `post-invoke=${act}\n`);
      const boots = await machine.bootUntilSettled();
      await machine.exec(mends);
      await isBackAfterOneReboot(t, machine, boots);
      t.match(await statusOf(machine), { state: 'failed', reason: { code: 'VERIFY_FAILED', message } });
    },
  );
}

void t.test('invariant 9: nor is one that a hook has broken after it was verified', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  await machine.write(
    '/etc/offline-update/after-install.d/10-breaks',
    '#!/bin/sh\nfor file in /usr/lib/*/libnode.so.*; do mv "$file" "/root/${file##*/}"; done\n',
  );
  const boots = await machine.bootUntilSettled();
  t.equal((await machine.exec('/usr/bin/node --version', { check: false })).exitCode, 127);
  await machine.exec('mv /root/libnode.so.* /usr/lib/$(uname -m)-linux-gnu/');
  await isBackAfterOneReboot(t, machine, boots);
  t.match(await statusOf(machine), {
    state: 'failed',
    reason: { code: 'VERIFY_FAILED', message: /^\/usr\/lib\/\S+\/libnode\.so\.\d+ changed, and .* libnode/ },
  });
});

void t.test('another Node.js that starts is an update as any other', async (t) => {
  const machine = await armedMachine(t, {
    packages: ['lab-good'],
    async before(machine) {
      const replaced = 'cp -p /usr/bin/node /usr/bin/node.new && mv /usr/bin/node.new /usr/bin/node';
      const act = `if [ -e /run/offline-update/update-boot ]; then ${replaced}; fi`;
      await machine.write('/etc/dpkg/dpkg.cfg.d/replaces-node', `post-invoke=${act}\n`);
    },
  });
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
});
