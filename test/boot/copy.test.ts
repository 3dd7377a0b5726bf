/** The way back where / has no snapshots: a copy of what the update replaces, put back by shell (docs/copy.md). */
import t, { type Test } from 'tap';
import type { Container, KillPoint, Machine } from '../laboratory/laboratory.js';
import { ImageMachine, tinyPackages } from '../laboratory/laboratory.js';
import { copying, copyMachine, cutHalfBack, isAsBefore, treeOf } from './copy-machines.js';
import {
  armedLayer,
  becomesUpdated,
  isBackAfterOneReboot,
  isBackToNormal,
  reportOf,
  statusOf,
  versionsOf,
} from './installed.js';

const packages = ['lab-conffile', 'lab-slow', ...tinyPackages(10)];
const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));
const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
const terminal = '/var/lib/offline-update/updates/*/term.log';
/** `update-initramfs` of Debian 12 notes the kernels that have an initrd. */
const asKernelsDo = 'post-invoke=mkdir -p /var/lib/initramfs-tools && touch /var/lib/initramfs-tools/6-lab\n';
const configuring = { file: terminal, match: /Setting up lab-slow/ };

/** The same on a file system of its own, where hard links (ext4) and shared blocks (xfs) are what they are on a disk. */
async function imageMachine(t: Test, type: 'ext4' | 'xfs', names: readonly string[]): Promise<Machine> {
  const machine = await ImageMachine.make(await armedLayer({ packages: names, config: copying }), { type });
  t.teardown(() => machine.dispose());
  return machine;
}

void t.test('a good update is confirmed, and the copy is kept for a rollback', async (t) => {
  const machine = await copyMachine(t, { packages });
  const id = await becomesUpdated(t, machine, packages);
  t.ok(machine.exists(`/var/lib/offline-update/fallbacks/${id}/tree/usr`));
  const { timeline } = await reportOf(machine, id);
  t.match(
    (timeline as { text: string }[]).map(({ text }) => text).find((text) => text.startsWith('installing')),
    'installing, with a way back by copy',
  );
});

for (const [fault, name, code, config] of [
  ['a failing postinst', 'lab-postinst-fails', 'INSTALL_FAILED', ''],
  ['a hanging postinst', 'lab-hangs', 'INSTALL_STALLED', 'stallTimeoutSeconds = 3\n'],
] as const) {
  void t.test(
    `${fault}: put back in the same boot, every file is as it was, and the log tells why`,
    async (t) => {
      const some = ['lab-conffile', 'lab-needs-more', 'lab-old', 'lab-new', name];
      const machine = await copyMachine(t, { packages: some, prepare: ['--full'], config });
      await machine.write('/etc/dpkg/dpkg.cfg.d/lab', asKernelsDo);
      const before = await treeOf(machine);
      const boots = await machine.bootUntilSettled();
      await isBackAfterOneReboot(t, machine, boots);
      await isAsBefore(t, machine, before);
      const status = await statusOf(machine);
      t.match(status, { state: 'reverted', reason: { code, message: new RegExp(name) } });
      const log = await machine.exec(['offline-update', 'log', status.id ?? '']);
      t.match(log.stdout, new RegExp(`${name}.*2\\.0`), 'invariant 12: the terminal log survived');
    },
  );
}

const old = 'reverted';
const fresh = 'confirmed';
const moments: [string, KillPoint, readonly string[]][] = [
  ['while it is saved', { file: journal, match: /"phase":"before"/ }, [fresh]],
  ['when the copy is armed', { file: journal, match: /"phase":"snapshot"/ }, [old]],
  ['in the midst of unpacking', { file: terminal, match: /Unpacking lab-tiny-005/ }, [old]],
  ['in the midst of configuring', configuring, [old]],
  ['at the commit', { file: journal, match: /"event":"installed"/ }, [old, fresh]],
];

for (const [moment, killWhen, states] of moments) {
  void t.test(`invariant 4: killed ${moment}, the machine is ${states.join(' or ')}`, async (t) => {
    const machine = await copyMachine(t, { packages });
    const before = await treeOf(machine);
    t.equal((await machine.boot({ killWhen })).ended, 'killed');
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    const status = await statusOf(machine);
    t.ok(states.includes(status.state), `the record says ${status.state}`);
    if (status.state === fresh) t.strictSame(await versionsOf(machine, packages), updated);
    else await isAsBefore(t, machine, before);
  });
}

void t.test(
  'invariant 6: cut twice more while the copy is put back, without Node: every file is as it was',
  async (t) => {
    const machine = await copyMachine(t, { packages });
    const before = await treeOf(machine);
    t.equal((await machine.boot({ killWhen: configuring })).ended, 'killed');
    await machine.run('mv /usr/bin/node /root/node');
    await cutHalfBack(t, machine);
    const program = '/usr/local/bin/comm';
    await machine.write(program, '#!/bin/sh\necho lab-in-comm >/dev/console\nexec /usr/bin/comm "$@"\n');
    t.equal(
      (await machine.boot({ killWhen: { match: /lab-in-comm/ } })).ended,
      'killed',
      'and in its next run',
    );
    await machine.remove(program);
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['reboot', 'up'],
    );
    t.notOk(machine.exists('/system-update') || machine.exists('/system-update.claimed'), 'no link is left');
    await machine.stop();
    await machine.run('mv /root/node /usr/bin/node');
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    await isAsBefore(t, machine, before);
    t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'INSTALL_INTERRUPTED' } });
  },
);

void t.test(
  'invariant 11: the service dies in mid-install: one reboot to put back, then the wished end',
  async (t) => {
    const machine = await copyMachine(t, { packages, trigger: ['--action', 'poweroff'] });
    const before = await treeOf(machine);
    const kill = async (container: Container): Promise<void> => {
      await container.waitForLine(terminal, (line) => configuring.match.test(line));
      await container.exec('systemctl kill --kill-whom=main --signal=SIGKILL offline-update.service', {
        check: false,
      });
    };
    const boots = await machine.bootUntilSettled({ during: kill });
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['reboot', 'poweroff'],
    );
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    await isAsBefore(t, machine, before);
    t.match(await statusOf(machine), { state: 'reverted', reason: { code: 'SERVICE_CRASHED' } });
  },
);

void t.test(
  'a copy that cannot be put back: the packages are made whole instead, and the record says failed',
  async (t) => {
    const machine = await copyMachine(t, { packages });
    t.equal((await machine.boot({ killWhen: configuring })).ended, 'killed');
    await machine.run('echo >> /var/lib/offline-update/fallbacks/armed/names');
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.strictSame(await versionsOf(machine, packages), updated);
    t.equal((await statusOf(machine)).state, 'confirmed', 'what is really there is what the record says');
  },
);

void t.test(
  'a rescue that ended without leaving is begun again by the guard, whose own limit does not end it',
  async (t) => {
    const machine = await copyMachine(t, { packages });
    const before = await treeOf(machine);
    t.equal((await machine.boot({ killWhen: configuring })).ended, 'killed');
    const units = '/etc/systemd/system/offline-update';
    await machine.write(
      `${units}-rescue.service.d/50-test.conf`,
      `[Service]\nExecStart=\nExecStart=/bin/sh -c 'if [ -e /run/lab-ended ]; then exec /usr/lib/offline-update/rescue; fi; : >/run/lab-ended'\n`,
    );
    await machine.write(`${units}-guard.service.d/50-test.conf`, '[Service]\nTimeoutSec=1s\n');
    await machine.write('/usr/local/bin/comm', '#!/bin/sh\nsleep 3\nexec /usr/bin/comm "$@"\n');
    const boots = await machine.bootUntilSettled();
    await isBackAfterOneReboot(t, machine, boots);
    await isAsBefore(t, machine, before);
    t.equal((await statusOf(machine)).state, 'reverted');
  },
);

void t.test(
  'a copy whose way was cut in too many boots is given up: the packages are made whole, and no boot stands still',
  async (t) => {
    const machine = await copyMachine(t, { packages });
    t.equal((await machine.boot({ killWhen: configuring })).ended, 'killed');
    await machine.run(
      'for boot in 1 2 3 4 5 6 7 8 9 10 11; do echo $boot; done >>/var/lib/offline-update/claims',
    );
    const boots = await machine.bootUntilSettled();
    await isBackAfterOneReboot(t, machine, boots);
    t.strictSame(await versionsOf(machine, packages), updated);
    t.equal((await statusOf(machine)).state, 'confirmed', 'what is really there is what the record says');
  },
);

void t.test('without room for the copy nothing is changed', async (t) => {
  const machine = await copyMachine(t, { packages: ['lab-good'] });
  await machine.write('/usr/local/bin/cp', '#!/bin/sh\necho "cp: No space left on device" >&2\nexit 1\n');
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  t.match(await statusOf(machine), {
    state: 'refused',
    reason: { code: 'SNAPSHOT_FAILED', message: /No space left/ },
  });
  t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
});

for (const type of ['ext4', 'xfs'] as const) {
  void t.test(
    `on ${type}: cut in mid-install, every file is as it was; then the update is confirmed`,
    async (t) => {
      const machine = await imageMachine(t, type, packages);
      const before = await treeOf(machine);
      t.equal((await machine.boot({ killWhen: configuring })).ended, 'killed');
      await isBackToNormal(t, machine, await machine.bootUntilSettled());
      t.equal((await statusOf(machine)).state, 'reverted');
      await isAsBefore(t, machine, before);
      await machine.exec(['offline-update', 'prepare', '--no-refresh']);
      await machine.exec(['offline-update', 'trigger']);
      await machine.stop();
      await isBackToNormal(t, machine, await machine.bootUntilSettled());
      t.equal((await statusOf(machine)).state, 'confirmed');
      t.strictSame(await versionsOf(machine, packages), updated);
    },
  );
}
