/**
 * The way without another kernel (docs/reboot.md), as `auto` decides on it by default: into the update boot, out of it, and
 * whatever goes wrong in between. /run is that of the first boot all along.
 */
import t, { type Test } from 'tap';
import { debOf, putRepository, treeDifference, type Machine } from '../laboratory/laboratory.js';
import { armedBtrfsMachine, treeOf } from './btrfs-machines.js';
import {
  installedMachine,
  isBackSoftly,
  isBackToNormal,
  reportOf,
  statusOf,
  versionsOf,
} from './installed.js';

const packages = ['lab-good'];
const softly = 'nothing changes that a kernel, boot loader or initramfs reads';

/** Asks for the way into the update as `trigger` tells it. `--now` would end the command in the midst of its answer. */
async function softReboot(machine: Machine): Promise<void> {
  await machine.exec(['systemctl', '--no-block', 'soft-reboot']);
}

interface Armed {
  id: string;
  action: string;
  because: string | null;
  wayIn: string;
}

/** What `auto` has decided on. */
async function trigger(machine: Machine, ...words: string[]): Promise<Armed> {
  const { stdout } = await machine.exec(['offline-update', 'trigger', '--no-rehearse', '--json', ...words]);
  return JSON.parse(stdout) as Armed;
}

interface Wish {
  packages?: readonly string[];
  /** Words of `prepare`. */
  prepare?: readonly string[];
  before?: (machine: Machine) => Promise<unknown>;
}

/** Up, prepared, and armed by the defaults. */
async function armed(t: Test, wish: Wish = {}): Promise<Machine> {
  const machine = await installedMachine(t, wish.packages ?? packages);
  // Without a way back, an attempt that is cut short is resumed: the copy has tests of its own.
  await machine.write('/etc/offline-update/config.d/10-laboratory.toml', 'withoutSnapshots = "resume"\n');
  await wish.before?.(machine);
  await machine.start();
  // So that the service waits ahead of it, as on a machine on which the package made its snapshot itself.
  await machine.exec('/usr/lib/offline-update/make-warm-start');
  await machine.exec(['offline-update', 'prepare', '--no-refresh', ...(wish.prepare ?? [])]);
  t.match(await trigger(machine), { action: 'soft-reboot', because: softly });
  return machine;
}

async function onItsWay(t: Test, wish?: Wish): Promise<Machine> {
  const machine = await armed(t, wish);
  await softReboot(machine);
  return machine;
}

void t.test('a soft-reboot on both legs, twice in a row: nothing in /run misleads', async (t) => {
  const both = ['lab-good', 'lab-library'];
  const machine = await onItsWay(t, {
    packages: both,
    prepare: ['lab-good'],
    before: (down) =>
      down.write('/usr/lib/offline-update/read-ahead', '#!/bin/sh\ntouch /var/log/read-ahead\n'),
  });
  await isBackSoftly(t, machine);
  t.notOk(machine.exists('/var/log/read-ahead'), 'all that is needed is in memory already');
  t.strictSame(await versionsOf(machine, both), { 'lab-good': '2.0', 'lab-library': '1.0' });
  const { id } = await statusOf(machine);
  t.match(await reportOf(machine, id ?? ''), {
    state: 'confirmed',
    action: 'soft-reboot',
    actionBecause: softly,
    attempts: 1,
    away: { downSeconds: Number, installSeconds: Number, upSeconds: Number },
  });
  t.notMatch((await machine.exec('ls -A /run/offline-update')).stdout, /update-boot|fallback-armed|shutdown/);
  t.match((await machine.exec('cat /run/offline-update/status.json', { check: false })).stdout, /^$|"done"/);
  await machine.exec(['offline-update', 'prepare', '--no-refresh']);

  await t.test('what this machine owes already makes it a full one, and the reason is told', async (t) => {
    const systemd = '/usr/lib/systemd/systemd';
    const required = '/run/reboot-required';
    const ends = async (change: string): Promise<string | null> => {
      await machine.exec(change);
      const { action, because, wayIn } = await trigger(machine);
      await machine.exec('offline-update cancel');
      t.strictSame([action, wayIn], ['reboot', 'reboot']);
      return because;
    };
    t.equal(
      await ends(`echo linux-base >${required}.pkgs; touch ${required}`),
      `a reboot is owed already: ${required} asks for it for linux-base`,
    );
    await machine.exec(`rm ${required} ${required}.pkgs`);
    t.equal(
      await ends(`cp -p ${systemd} ${systemd}.new && mv ${systemd}.new ${systemd}`),
      `a reboot is owed already: ${systemd} was replaced beneath PID 1`,
    );
    t.equal(
      await ends('systemctl daemon-reexec'),
      `a reboot is owed already: ${systemd} changed since this boot began`,
    );
  });

  await t.test('after a full reboot it owes nothing any more', async (t) => {
    await machine.stop();
    await isBackToNormal(t, machine, [await machine.start()]);
    const second = await trigger(machine);
    t.match(second, { action: 'soft-reboot', because: softly });
    await softReboot(machine);
    await isBackSoftly(t, machine, second.id);
    t.strictSame(await versionsOf(machine, both), { 'lab-good': '2.0', 'lab-library': '2.0' });
  });
});

void t.test('a kernel asks for a full reboot on the way out alone', async (t) => {
  const kernel = 'linux-image-lab';
  const machine = await installedMachine(t, packages);
  await putRepository(machine, [debOf({ name: kernel, version: '1.0' })], {
    suite: 'kernels',
    folder: '/srv/kernels',
  });
  await machine.start();
  await machine.exec('/usr/lib/offline-update/make-warm-start; apt-get update --quiet=2');
  await machine.exec(['offline-update', 'prepare', '--no-refresh', kernel, ...packages]);
  const armed = await trigger(machine);
  t.match(armed, { action: 'reboot', because: `the kernel changes: ${kernel}`, wayIn: 'soft-reboot' });
  t.match((await machine.exec('offline-update status')).stdout, /^Next +systemctl soft-reboot$/m);
  await machine.exec('test -e /run/offline-update/ahead');
  await softReboot(machine);
  const { ended, console } = await machine.waitForEnd();
  t.equal(ended, 'reboot');
  t.equal(console.filter((line) => line.startsWith('Welcome to ')).length, 2, 'softly into the update boot');
  const boots = await machine.bootUntilSettled();
  t.match(boots, [{ ended: 'up', softReboots: 0 }]);
  await isBackToNormal(t, machine, boots);
  t.strictSame(await versionsOf(machine, [kernel, ...packages]), { [kernel]: '1.0', 'lab-good': '2.0' });
  t.match(await reportOf(machine, armed.id), {
    state: 'confirmed',
    action: 'reboot',
    actionBecause: `the kernel changes: ${kernel}`,
    attempts: 1,
    away: { downSeconds: Number, installSeconds: Number, upSeconds: Number },
  });
});

void t.test(
  'a power off that was wished for: a soft-reboot leads in, and the next start confirms',
  async (t) => {
    const machine = await installedMachine(t, packages);
    await machine.start();
    await machine.exec(['offline-update', 'prepare', '--no-refresh']);
    const armed = await trigger(machine, '--action', 'poweroff');
    t.match(armed, { action: 'poweroff', because: null, wayIn: 'soft-reboot' });
    await softReboot(machine);
    const { ended, console } = await machine.waitForEnd();
    t.equal(ended, 'poweroff');
    t.equal(
      console.filter((line) => line.startsWith('Welcome to ')).length,
      2,
      'softly into the update boot',
    );
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.match(await reportOf(machine, armed.id), { state: 'confirmed', action: 'poweroff', attempts: 1 });
  },
);

void t.test('what changed that no package name told of makes it a full reboot', async (t) => {
  const hook = '/etc/offline-update/after-install.d/10-fstab';
  const machine = await onItsWay(t, {
    before: async (installed) => {
      await installed.write(hook, '#!/bin/sh\necho "# new" >> /etc/fstab\n');
      await installed.write('/etc/offline-update/config.d/20-kexec.toml', 'kexec = "allow"\n');
    },
  });
  t.equal((await machine.waitForEnd()).ended, 'reboot');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { id } = await statusOf(machine);
  t.match(await reportOf(machine, id ?? ''), {
    state: 'confirmed',
    action: 'reboot',
    actionBecause: 'a soft-reboot is not enough: /etc/fstab changed',
  });
});

void t.test('what came to be owed after the trigger is seen in the update boot', async (t) => {
  const machine = await armed(t);
  await machine.exec('echo "# late" >>/etc/crypttab');
  await softReboot(machine);
  t.equal((await machine.waitForEnd()).ended, 'reboot');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { id } = await statusOf(machine);
  t.match(await reportOf(machine, id ?? ''), {
    state: 'confirmed',
    actionBecause:
      'a soft-reboot is not enough: a reboot is owed already: /etc/crypttab changed since this boot began',
  });
});

/** In the midst of an install that takes its time. */
async function inMidInstall(t: Test): Promise<Machine> {
  const machine = await onItsWay(t, { packages: ['lab-good', 'lab-slow'] });
  await machine.container.waitForLine('/var/lib/offline-update/updates/*/term.log', (line) =>
    line.includes('Setting up lab-slow'),
  );
  return machine;
}

void t.test(
  'a power cut in the update boot that a soft-reboot led into: resumed, and out softly',
  async (t) => {
    const machine = await inMidInstall(t);
    await machine.kill();
    const boots = await machine.bootUntilSettled();
    t.match(boots, [{ ended: 'up', softReboots: 1 }]);
    await isBackToNormal(t, machine, boots);
    const { id } = await statusOf(machine);
    t.match(await reportOf(machine, id ?? ''), { state: 'confirmed', attempts: 2, action: 'soft-reboot' });
  },
);

void t.test(
  'a crash in mid-install is finished by dpkg and ends in a full reboot: nobody has looked',
  async (t) => {
    const machine = await inMidInstall(t);
    await machine.exec('systemctl kill --signal=KILL --kill-whom=main offline-update.service');
    t.equal((await machine.waitForEnd()).ended, 'reboot');
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.equal((await statusOf(machine)).state, 'confirmed');
  },
);

void t.test('an update that fails is put back from its copy, and left by a full reboot', async (t) => {
  const machine = await onItsWay(t, {
    packages: ['lab-good', 'lab-postinst-fails'],
    before: (installed) => installed.remove('/etc/offline-update/config.d/10-laboratory.toml'),
  });
  t.equal((await machine.waitForEnd()).ended, 'reboot');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'reverted');
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '1.0' });
});

const wished = { config: 'action = "auto"\n' };

void t.test('btrfs: after the commit the mounted root is the one that boots, again and again', async (t) => {
  const machine = await armedBtrfsMachine(t, {
    ...wished,
    packages: ['lab-good', 'lab-postinst-fails'],
    prepare: ['lab-good'],
  });
  const boots = await machine.bootUntilSettled();
  t.match(boots, [{ ended: 'up', softReboots: 1 }]);
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
  const root = async (): Promise<string> => (await machine.exec('findmnt -no FSROOT /')).stdout.trim();
  t.equal(await root(), '/@');

  await t.test('invariant 4: an update that fails in this boot leads back by a full reboot', async (t) => {
    await machine.exec(['offline-update', 'prepare', '--no-refresh']);
    t.match(await trigger(machine), { action: 'soft-reboot', because: softly });
    await softReboot(machine);
    t.equal((await machine.waitForEnd()).ended, 'reboot');
    const after = await machine.bootUntilSettled();
    t.match(after, [{ ended: 'up', softReboots: 0 }]);
    await isBackToNormal(t, machine, after);
    const { id, state } = await statusOf(machine);
    t.equal(state, 'reverted');
    t.match(await reportOf(machine, id ?? ''), {
      action: 'reboot',
      actionBecause: 'a soft-reboot would stay in the root that is given up',
    });
    t.equal(await root(), '/@');
    const versions = { 'lab-good': '2.0', 'lab-postinst-fails': '1.0' };
    t.strictSame(await versionsOf(machine, Object.keys(versions)), versions);
  });
});

void t.test('btrfs: not well after a soft-reboot, the old root boots by a full one', async (t) => {
  const machine = await armedBtrfsMachine(t, { ...wished, packages }, { boots: 'default' });
  const isOld = 'dpkg-query --show --showformat="\\${Version}" lab-good | grep -q 1.0';
  await machine.write('/etc/offline-update/health.d/required.d/50-lab', `#!/bin/sh\n${isOld}\n`);
  const before = await treeOf(machine);
  const boots = await machine.bootUntilSettled();
  t.match(boots, [
    { ended: 'reboot', softReboots: 1 },
    { ended: 'up', softReboots: 0 },
  ]);
  await isBackToNormal(t, machine, boots);
  t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'HEALTH_FAILED' } });
  t.strictSame(treeDifference(before, await treeOf(machine)), []);
});
