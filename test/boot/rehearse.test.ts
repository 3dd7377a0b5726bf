import t from 'tap';
import type { Rehearsal } from '../../src/update/rehearsal.js';
import {
  debOf,
  Machine,
  putRepository,
  treeDifference,
  type CommandOutput,
} from '../laboratory/laboratory.js';
import { installedLayer, statusOf } from './installed.js';
import { faults, packageOf, plantFaults } from './rehearsal-faults.js';

if (process.getuid?.() !== 0) t.bailout('the boot tests need root');

void t.test('of twenty planted faults rehearsal and preflight find all before the reboot', async (t) => {
  const machine = await Machine.on(await installedLayer([]), { storageMegabytes: 320 });
  t.teardown(() => machine.dispose());
  await plantFaults(machine);
  await machine.start();
  const shell = (line: string): Promise<CommandOutput> => machine.exec(['sh', '-c', line], { check: false });
  const missed: string[] = [];
  for (const [index, { fault, packages, before, after, undo, says }] of faults.entries()) {
    if (before !== undefined) await shell(before);
    const words = (packages ?? [packageOf(index)]).join(' ');
    const prepared = await shell(`offline-update prepare --no-refresh ${words}`);
    t.equal(prepared.exitCode, 0, `${fault}: it can be prepared`);
    if (after !== undefined) await shell(after);
    const { exitCode, stderr } = await shell('offline-update trigger');
    if (exitCode !== 5) missed.push(fault);
    t.match(stderr, says, `${fault}: the person is told`);
    t.match(stderr, /^ {2}next: /m, `${fault}: and what to do next`);
    t.notOk(machine.exists('/system-update'), `${fault}: nothing is armed`);
    if (undo !== undefined) await shell(undo);
    t.match((await statusOf(machine)).state, /^(prepared|stale)$/, `${fault}: the plan is kept`);
  }
  t.equal(faults.length, 20);
  t.strictSame(missed, []);
});

/** All that a script could do to the system that it believes to be in; each line may fail. */
const hostile = [
  'echo 42 >/proc/sys/vm/swappiness',
  'sysctl -w vm.swappiness=42',
  'echo b >/proc/sysrq-trigger',
  'reboot -ff',
  'systemctl --force --force reboot',
  'kill -s INT 1',
  'for each in /proc/[0-9]*; do [ "$each" = "/proc/$$" ] || tr "\\\\0" " " <"$each/cmdline"; done >/var/lib/lab-seen',
  'modprobe loop',
  'mount -t tmpfs none /mnt',
  'mknod /dev/lab-disk b 7 0 && echo data >/dev/lab-disk',
  'mknod /var/lib/lab-disk b 7 0 && echo data >/var/lib/lab-disk',
  'chmod 600 /dev/null',
  'hostname hostile',
  'date -s 2001-01-01',
  'systemctl start lab-service.service',
  'perl -MSocket -e \'socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un("/var/lib/lab.socket")) and print "connected\\n"\' >/var/lib/lab-connected',
  'rm -rf /etc/hosts /srv /home /boot /usr/share/doc',
  'echo x >/run/lab-hostile; echo x >/tmp/lab-hostile; echo x >/dev/shm/lab-hostile',
  'printf "#!/bin/sh\\nexit 101\\n" >/usr/sbin/policy-rc.d',
  'setsid sleep 1000 &',
];

/** Of the running system, what is no file: processes, mounts, settings, name, clock. */
const facts = `ps -e -o pid=,args= | grep -v -e '[p]s -e' -e 'grep -v' -e kworker -e '^ *[0-9]* .* sh -c';
  cat /proc/1/mounts; cat /proc/sys/vm/swappiness /proc/sys/kernel/random/boot_id; hostname; date +%Y;
  stat -c %a /dev/null; ls /run /tmp /dev /dev/shm; systemctl is-active lab-service.service || true`;

void t.test(
  'the running system is not touched, whatever a package does, and the rehearsal passes',
  async (t) => {
    const machine = await Machine.on(await installedLayer(['lab-service', 'lab-conffile', 'lab-debconf']));
    t.teardown(() => machine.dispose());
    await machine.run('systemctl disable lab-service.service');
    const hooks = '/etc/offline-update/before-install.d/10-says';
    await machine.write(hooks, '#!/bin/sh\necho "rehearsal $OFFLINE_UPDATE_REHEARSAL"\n');
    const spec = { name: 'lab-hostile', version: '2.0' };
    const postinst = hostile.map((line) => `( ${line} ) 2>&1 || true`).join('\n');
    await putRepository(machine, [debOf({ ...spec, scripts: { postinst } })], {
      suite: 'hostile',
      folder: '/var/lib/lab',
    });
    await machine.run('apt-get -q update');
    await machine.start();
    const shell = async (line: string): Promise<string> => (await machine.exec(['sh', '-c', line])).stdout;
    // a service of the real system that listens on a socket on disk
    await shell(
      'perl -MSocket -e \'socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, sockaddr_un("/var/lib/lab.socket")); listen(S, 1); open(my $f, ">", "/run/listens"); close($f); sleep\' >/dev/null 2>&1 </dev/null & until [ -e /run/listens ]; do :; done',
    );
    await shell('offline-update prepare --no-refresh lab-hostile lab-service lab-conffile lab-debconf');
    const options = {
      exclude: ['/var/lib/offline-update', '/var/lib/dpkg/lock', '/var/lib/dpkg/lock-frontend'],
    };
    const [tree, before] = [await machine.tree(options), await shell(facts)];

    const { stdout } = await machine.exec(['offline-update', 'trigger', '--json']);
    await machine.exec(['offline-update', 'cancel']);
    t.strictSame(treeDifference(tree, await machine.tree(options)), [], 'not one file differs');
    t.equal(await shell(facts), before, 'nor anything else');

    const { rehearsal, estimate } = JSON.parse(stdout) as {
      rehearsal: Rehearsal;
      estimate: Record<string, number>;
    };
    t.match(rehearsal, {
      outcome: 'passed',
      reason: null,
      conffiles: [{ path: '/etc/lab-conffile.conf', leftover: '/etc/lab-conffile.conf.dpkg-dist' }],
      questions: [{ name: 'lab-debconf/question2', type: 'string', text: 'question 2?', answer: 'default2' }],
      hooks: [{ path: hooks, exitCode: 0, output: 'rehearsal 1' }],
      units: ['lab-service.service'],
      fileSystems: [{ path: '/', changedFiles: Number, removedFiles: Number }],
      storage: 'memory',
    });
    t.ok(rehearsal.notRun.includes('sysctl'), 'what was not really run is told');
    t.ok((rehearsal.fileSystems[0]?.removedFiles ?? 0) > 2, 'what would have been removed is counted');
    t.match(estimate, { downSeconds: Number, installSeconds: Number, upSeconds: Number });

    const again = await machine.exec(['offline-update', 'trigger', '--json']);
    const hooksWithoutWords = rehearsal.hooks.map((hook) => ({ ...hook, output: '' }));
    t.strictSame(
      (JSON.parse(again.stdout) as { rehearsal: Rehearsal }).rehearsal,
      { ...rehearsal, hooks: hooksWithoutWords },
      'it is not repeated, and what hooks print is in no record that all may read',
    );
  },
);

void t.test('scripts find the control groups of the system, and none of its services in them', async (t) => {
  const machine = await Machine.on(await installedLayer([]));
  t.teardown(() => machine.dispose());
  // As libsystemd-shared asks since systemd 258, before it is unpacked.
  const preinst = `awk '{ print $2 "," $3 }' /proc/mounts | grep -qx /sys/fs/cgroup,cgroup2 || exit 1
    ls -R /sys/fs/cgroup | grep '[.]service' && exit 1
    ! mkdir /sys/fs/cgroup/lab`;
  const asks = debOf({ name: 'lab-asks', version: '1.0', scripts: { preinst } });
  await putRepository(machine, [asks], { suite: 'asks', folder: '/var/lib/lab' });
  await machine.run('apt-get -q update');
  await machine.start({ unifiedControlGroups: true });
  await machine.exec('offline-update prepare --no-refresh lab-asks');
  // In a control group of its own, as a person's session is.
  const { stdout } = await machine.exec('systemd-run --quiet --pipe --wait offline-update trigger --json');
  t.match((JSON.parse(stdout) as { rehearsal: Rehearsal }).rehearsal, { outcome: 'passed', reason: null });
});

void t.test('an interrupted or a killed rehearsal leaves nothing behind', async (t) => {
  const machine = await Machine.on(await installedLayer(['lab-hangs']));
  t.teardown(() => machine.dispose());
  await machine.start();
  const shell = async (line: string): Promise<string> => (await machine.exec(['sh', '-c', line])).stdout;
  await shell('offline-update prepare --no-refresh');
  for (const signal of ['INT', 'TERM', 'KILL']) {
    const told = `/run/told-${signal}`;
    await shell(`offline-update trigger >${told} 2>&1 </dev/null & echo $! >/run/trigger`);
    await machine.container.waitForLine(told, (line) => line.includes('Preparing to configure lab-hangs'));
    const pids = (await shell(`pgrep -f '/throw-away-root|update-service.cjs rehearse'`)).trim().split('\n');
    t.ok(pids.length >= 3, `${signal}: at work`);
    await shell(`kill -s ${signal} "$(cat /run/trigger)"`);
    await shell([...pids, '$(cat /run/trigger)'].map((pid) => `tail --pid=${pid} -f /dev/null`).join('; '));
    t.equal(await shell('pgrep -l "sleep|apt-get|dpkg" || true'), '', `${signal}: no process`);
    t.equal(await shell('grep throw-away /proc/mounts || true'), '', `${signal}: no mount`);
    t.equal(await shell('ls /var/lib/offline-update'), 'updates\n', `${signal}: no folder`);
    t.match(await statusOf(machine), { state: 'prepared' }, `${signal}: not armed`);
    if (signal !== 'KILL') t.match(await shell(`cat ${told}`), /interrupted: nothing was armed/);
  }
});

void t.test(
  'where no copy can be made the update is armed with a warning, unless a rehearsal is required',
  async (t) => {
    const machine = await Machine.on(await installedLayer(['lab-good']));
    t.teardown(() => machine.dispose());
    await machine.start();
    const call = (...words: string[]): Promise<CommandOutput> =>
      machine.exec(['offline-update', ...words], { check: false });
    await call('prepare', '--no-refresh');
    // as where namespaces are forbidden
    await machine.write(
      '/usr/local/bin/unshare',
      '#!/bin/sh\necho "unshare failed: Operation not permitted" >&2\nexit 1\n',
    );
    await machine.write('/etc/offline-update/config.d/60-required.toml', 'rehearse = "require"\n');
    const required = await call('trigger');
    t.equal(required.exitCode, 5);
    t.match(
      required.stderr,
      /cannot be rehearsed here: namespaces are not allowed here \(unshare failed: Operation not permitted\)/,
    );
    t.equal((await call('trigger', '--no-rehearse')).exitCode, 5, 'nor may it be left out');
    await machine.remove('/etc/offline-update/config.d/60-required.toml');
    const armed = await call('trigger');
    t.equal(armed.exitCode, 0);
    t.match(
      armed.stderr,
      /Warning: the update cannot be rehearsed here: namespaces are not allowed here .* \[rehearsal\]/,
    );
    t.ok(machine.exists('/system-update'), 'it is armed');
  },
);
