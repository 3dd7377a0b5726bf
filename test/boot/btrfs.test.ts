/** The way back on btrfs: whatever happens, the next boot is the old root or the proven new one (docs/fallback.md). */
import t from 'tap';
import { tinyPackages, treeDifference } from '../laboratory/laboratory.js';
import { armedBtrfsMachine, treeOf } from './btrfs-machines.js';
import {
  becomesUpdated,
  isBackAfterOneReboot,
  isBackToNormal,
  reportOf,
  statusOf,
  versionsOf,
} from './installed.js';

const packages = ['lab-good', 'lab-conffile', ...tinyPackages(20)];
const other = /^@\.offline-update-\d{8}T\d{6}-[0-9a-f]{4}$/;

void t.test('a good update is confirmed, and the old root is kept as fallback', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages });
  const id = await becomesUpdated(t, machine, packages);
  const names = await machine.subvolumes();
  t.equal(names.length, 2);
  t.match(names, ['@', other]);
  t.notOk(machine.exists('/var/lib/offline-update/fallback.json'), 'the mark is in the fallback only');
  const report = await reportOf(machine, id);
  const seconds = (report['phases'] as { phase: string; seconds: number }[])
    .filter(({ phase }) => ['snapshot', 'commit'].includes(phase))
    .map((each) => each.seconds);
  t.ok(
    seconds.reduce((sum, each) => sum + each, 0) < 1.5,
    `snapshot and commit took ${seconds.join(' + ')} s`,
  );
});

for (const [fault, name, code, config] of [
  ['a failing postinst', 'lab-postinst-fails', 'INSTALL_FAILED', ''],
  ['a failing preinst', 'lab-preinst-fails', 'INSTALL_FAILED', ''],
  ['a hanging postinst', 'lab-hangs', 'INSTALL_STALLED', 'stallTimeoutSeconds = 3\n'],
] as const) {
  void t.test(`${fault}: reverted in one boot, every file is as it was, and the log tells why`, async (t) => {
    const machine = await armedBtrfsMachine(t, { packages: ['lab-conffile', 'lab-good', name], config });
    const before = await treeOf(machine);
    const boots = await machine.bootUntilSettled();
    await isBackAfterOneReboot(t, machine, boots);
    t.strictSame(treeDifference(before, await treeOf(machine)), []);
    const status = await statusOf(machine);
    t.match(status, { state: 'reverted', reason: { code, message: new RegExp(name) } });
    const report = await reportOf(machine, status.id ?? '');
    t.match(report, { state: 'reverted', attempts: 1 });
    const log = await machine.exec(['offline-update', 'log', status.id ?? '']);
    t.match(log.stdout, new RegExp(`${name}.*2\\.0`), 'invariant 12: the terminal log survived');
    t.match(await machine.subvolumes(), ['@', other], 'the failed root is kept');
    await machine.exec(['offline-update', 'clean']);
    t.strictSame(await machine.subvolumes(), ['@'], 'until it is cleaned away');
  });
}

void t.test('a service that is killed in the check leaves no way back that could be taken', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages });
  const boots = await machine.bootUntilSettled({
    during: async (container) => {
      await container.waitForLine('/var/lib/offline-update/updates/*/journal.jsonl', (line) =>
        line.includes('"event":"claimed"'),
      );
      const kill = ['systemctl', 'kill', '--kill-whom=main', '--signal=SIGKILL', 'offline-update.service'];
      await container.exec(kill, { check: false });
    },
  });
  await isBackToNormal(t, machine, boots);
  const { state } = await statusOf(machine);
  // The signal may come later.
  if (state !== 'refused') t.ok(['reverted', 'confirmed'].includes(state), state);
  else {
    await machine.exec(['offline-update', 'clean']);
    t.strictSame(await machine.subvolumes(), ['@']);
  }
});

void t.test('what is refused leaves no snapshot', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages });
  const before = await treeOf(machine);
  await machine.run('echo >> /var/lib/system-update/plan.json');
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  t.match(await statusOf(machine), { state: 'refused', reason: { code: 'PLAN_TAMPERED' } });
  t.strictSame(treeDifference(before, await treeOf(machine)), ['! /var/lib/system-update/plan.json']);
  t.strictSame(await machine.subvolumes(), ['@']);
});

void t.test(
  'invariant 11: a soft-reboot would stay in the failed root, so it becomes a full one',
  async (t) => {
    const machine = await armedBtrfsMachine(t, {
      packages: ['lab-postinst-fails'],
      trigger: ['--action', 'soft-reboot'],
    });
    const boots = await machine.bootUntilSettled();
    t.match(boots, [
      { ended: 'reboot', softReboots: 0 },
      { ended: 'up', softReboots: 0 },
    ]);
    await isBackToNormal(t, machine, boots);
    t.equal((await statusOf(machine)).state, 'reverted');
    t.strictSame(await versionsOf(machine, ['lab-postinst-fails']), { 'lab-postinst-fails': '1.0' });
  },
);

void t.test('after a revert the next update is confirmed, and the failed root is removed', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages: ['lab-good', 'lab-postinst-fails'] });
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const [, failed] = await machine.subvolumes();
  await machine.exec(['offline-update', 'prepare', '--no-refresh', 'lab-good']);
  await machine.exec(['offline-update', 'trigger']);
  await machine.stop();
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.equal((await statusOf(machine)).state, 'confirmed');
  const names = await machine.subvolumes();
  t.match(names, ['@', other]);
  t.not(names[1], failed);
});

void t.test(
  'of two updates in a row, only the newer fallback is kept where the policy says so',
  async (t) => {
    const machine = await armedBtrfsMachine(t, {
      packages: ['lab-good', 'lab-library'],
      prepare: ['lab-good'],
      config: 'keepFallbacks = 1\n',
    });
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    const [, first] = await machine.subvolumes();
    await machine.exec(['offline-update', 'prepare', '--no-refresh']);
    await machine.exec(['offline-update', 'trigger']);
    await machine.stop();
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.strictSame(await versionsOf(machine, ['lab-good', 'lab-library']), {
      'lab-good': '2.0',
      'lab-library': '2.0',
    });
    const names = await machine.subvolumes();
    t.match(names, ['@', other]);
    t.equal(names.length, 2);
    t.not(names[1], first);
  },
);

void t.test('without a usable layout: preferred, the update goes on and records why', async (t) => {
  const machine = await armedBtrfsMachine(t, {
    packages: ['lab-good'],
    trigger: ['--json'],
    before: (m) => m.run('btrfs subvolume create /opt/nested && touch /opt/nested/file'),
  });
  // The remembered snapshot holds no subvolumes.
  await machine.run('rmdir /opt/nested && btrfs subvolume create /opt/nested && touch /opt/nested/file');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const status = await statusOf(machine);
  t.equal(status.state, 'confirmed');
  t.strictSame(await machine.subvolumes(), ['@']);
  t.match(await reportOf(machine, status.id ?? ''), {
    findings: [
      {
        check: 'snapshot',
        message: 'no fallback: /opt/nested is a subvolume with files, which a snapshot of / does not hold',
      },
    ],
  });
});

void t.test('a name that update-grub wrote down while updating is put right before the commit', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages: ['lab-good'] });
  // What grub-mkconfig asks the kernel for, run as a kernel package would.
  const name = "sed -n 's,^[^ ]* [^ ]* [^ ]* /\\([^ ]*\\) / .*,\\1,p' /proc/self/mountinfo";
  await machine.write('/boot/grub/grub.cfg', 'linux /@/boot/vmlinuz rootflags=subvol=@\n', 0o600);
  await machine.write(
    '/etc/offline-update/after-install.d/50-kernel',
    `#!/bin/sh\nn=$(${name})\necho "linux /$n/boot/vmlinuz rootflags=subvol=$n" >/boot/grub/grub.cfg\necho "$n"\n`,
  );
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const status = await statusOf(machine);
  t.equal(status.state, 'confirmed');
  const log = await machine.exec(['offline-update', 'log']);
  t.match(log.stdout, /^offline-update: the hook \S+50-kernel\n@\.offline/m);
  t.equal(await machine.read('/boot/grub/grub.cfg'), 'linux /@/boot/vmlinuz rootflags=subvol=@\n');
});

void t.test('nested subvolumes: an empty one is made anew, one with files is told beforehand', async (t) => {
  const machine = await armedBtrfsMachine(t, {
    packages: ['lab-postinst-fails'],
    config: 'snapshot = "require"\n',
    before: (m) =>
      m.run('btrfs subvolume create /srv/empty && chmod 2770 /srv/empty && chgrp mail /srv/empty'),
  });
  await machine.run('rmdir /srv/empty && btrfs subvolume create /srv/empty && chmod 2770 /srv/empty');
  const before = await treeOf(machine);
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.strictSame(treeDifference(before, await treeOf(machine)), []);
  await machine.exec('touch /srv/empty/writable');
  const { stdout } = await machine.exec(['offline-update', 'doctor'], { check: false });
  t.match(stdout, /there is no way back here: \/srv\/empty is a subvolume with files/);
  await machine.exec('rm /srv/empty/writable');
  t.match((await machine.exec(['offline-update', 'doctor'])).stdout, /snapshot of \/ boots as subvol=@/);
});

for (const [name, state, version] of [
  ['lab-good', 'confirmed', '2.0'],
  ['lab-postinst-fails', 'reverted', '1.0'],
] as const) {
  void t.test(`mounted as the default subvolume, ${name} ends ${state}`, async (t) => {
    const machine = await armedBtrfsMachine(t, { packages: [name] }, { boots: 'default' });
    const before = await treeOf(machine);
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.equal((await statusOf(machine)).state, state);
    t.strictSame(await versionsOf(machine, [name]), { [name]: version });
    if (state === 'reverted') t.strictSame(treeDifference(before, await treeOf(machine)), []);
  });
}
