/**
 * A release upgrade: a small server of Debian 13 goes to the testing release of Debian's archive. Some hundred packages, with
 * libc, systemd, dpkg, apt and Node.js themselves among them, and scripts that nobody here has written.
 */
import t from 'tap';
import { installedLayer, isBackAfterOneReboot, reportOf, statusOf } from '../boot/installed.js';
import {
  archiveUnreachable,
  BtrfsMachine,
  debianArchive,
  enableRealUpdates,
  Machine,
  treeDifference,
  withArchive,
  type BootOptions,
  type Layer,
} from '../laboratory/laboratory.js';

if (process.getuid?.() !== 0) t.bailout('a machine is booted, which needs root');
const skip = (await archiveUnreachable()) ?? false;

const packages =
  'openssh-server nginx-light postgresql python3-yaml vim cron rsyslog man-db unattended-upgrades needrestart locales logrotate exim4-daemon-light ufw etckeeper fail2ban btrfs-progs';
const services = 'postgresql nginx exim4 fail2ban cron ssh rsyslog';

const boot = {
  ...withArchive,
  // systemd knows no others since 258.
  unifiedControlGroups: true,
  // Else nspawn mounts /etc/localtime, which tzdata renames.
  args: [...withArchive.args, '--timezone=off'],
  timeoutSeconds: 900,
} satisfies BootOptions;
const slow = { timeoutSeconds: 900 };

let made: Promise<Layer> | undefined;
/** The server, with the next release in its sources. */
const serverLayer = (): Promise<Layer> => (made ??= makeServer());

async function makeServer(): Promise<Layer> {
  const machine = await Machine.on(await installedLayer([]));
  await enableRealUpdates(machine);
  await machine.start(boot);
  const install = `apt-get --quiet=2 -o Dpkg::Use-Pty=0 install ${packages} >/var/log/server.log 2>&1`;
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await machine.exec(`apt-get --quiet=2 update && ${install}`, { ...slow, env });
  const { main } = await debianArchive();
  await machine.write(
    '/etc/apt/sources.list.d/next.sources',
    `Types: deb\nURIs: ${main}\nSuites: testing\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`,
  );
  await machine.stop();
  return machine.freeze();
}

async function versionOf(machine: Machine, name: string): Promise<string> {
  return (await machine.exec(['dpkg-query', '--show', '--showformat=${Version}', name])).stdout;
}

void t.test(
  'invariant 9: with snapshots, rehearsed, foretold, installed and confirmed',
  { skip },
  async (t) => {
    const machine = await BtrfsMachine.make(await serverLayer(), { megabytes: 12_000, on: 'disk' });
    t.teardown(() => machine.dispose());
    await machine.start(boot);
    const before = await versionOf(machine, 'systemd');
    await machine.exec('offline-update prepare --full', slow);
    const { stdout } = await machine.exec('offline-update trigger --now --action reboot', slow);
    t.match(stdout, /Rehearsed on a throw-away copy of this system: it installs/);
    await machine.waitForEnd(slow);
    const boots = await machine.bootUntilSettled(boot);
    await isBackAfterOneReboot(t, machine, boots);
    const { state, id } = await statusOf(machine);
    t.equal(state, 'confirmed');
    t.comment((await machine.exec('offline-update report')).stdout.split('\n').slice(0, 10).join('\n'));
    const { payload } = (await reportOf(machine, id ?? '')) as { payload: { changes: unknown[] } };
    t.ok(payload.changes.length > 200, `${payload.changes.length} changes`);
    t.not(await versionOf(machine, 'systemd'), before);
    t.equal((await machine.exec('dpkg --audit')).stdout, '');
    const active = (await machine.exec(`systemctl is-active ${services}`, { check: false })).stdout;
    t.strictSame(new Set(active.trim().split('\n')), new Set(['active']), 'every service runs');
  },
);

/** What services write as long as they run, and caches. */
const exclude = [
  /^\/var\/(log|cache|spool|mail)(\/|$)/,
  /^\/var\/lib\/(postgresql|fail2ban|offline-update|system-update|systemd)(\/|$)/,
  '/system-update',
  '/etc/resolv.conf',
  '/root',
];

/** A system whose libc, whose dpkg, or whose Python is in the midst of it. */
for (const [what, line] of [
  ['libc6 is unpacked', /^Unpacking libc6:/],
  ['dpkg is configured', /^Setting up dpkg /],
  ['Python compiles its modules', /^Setting up python3\.\d+ /],
] as const) {
  void t.test(
    `invariant 4: by a copy, the power goes when ${what}: every file is as it was`,
    { skip },
    async (t) => {
      const machine = await Machine.on(await armedWithCopy());
      t.teardown(() => machine.dispose());
      const before = await machine.tree({ exclude });
      const file = '/var/lib/offline-update/updates/*/term.log';
      const cut = await machine.boot({ ...boot, killWhen: { file, match: line } });
      t.equal(cut.ended, 'killed');
      const boots = await machine.bootUntilSettled(boot);
      await isBackAfterOneReboot(t, machine, boots);
      t.match(await statusOf(machine), { state: 'reverted' });
      t.equal((await machine.exec('dpkg --audit')).stdout, '');
      await machine.exec(`systemctl stop ${services}`, slow);
      const left = treeDifference(before, await machine.tree({ exclude }));
      // What scripts make anew in /var stays as they left it (docs/copy.md).
      t.strictSame(
        left.filter((each) => !each.startsWith('+ /var/')),
        [],
      );
    },
  );
}

let armed: Promise<Layer> | undefined;
const armedWithCopy = (): Promise<Layer> => (armed ??= armWithCopy());

async function armWithCopy(): Promise<Layer> {
  const machine = await Machine.on(await serverLayer());
  await machine.start(boot);
  await machine.exec('offline-update prepare --full', slow);
  await machine.exec('offline-update trigger --no-rehearse --action reboot');
  await machine.exec(`systemctl stop ${services}`, slow);
  await machine.stop();
  return machine.freeze();
}
