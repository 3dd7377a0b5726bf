/** Killed at any moment of an update with a fallback: the old or the new system, with a true record (invariant 4). */
import t, { type Test } from 'tap';
import type { BtrfsMachine, Container, KillPoint } from '../laboratory/laboratory.js';
import { tinyPackages, treeDifference } from '../laboratory/laboratory.js';
import { armedBtrfsMachine, treeOf } from './btrfs-machines.js';
import { isBackAfterOneReboot, isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const packages = ['lab-good', 'lab-conffile', 'lab-slow', ...tinyPackages(20)];
const updated = Object.fromEntries(packages.map((name) => [name, '2.0']));
const journal = '/var/lib/offline-update/updates/*/journal.jsonl';
const terminal = '/var/lib/offline-update/updates/*/term.log';
const inMidInstall = { file: terminal, match: /Unpacking lab-tiny-005/ };

const old = 'reverted';
const fresh = 'confirmed';
const moments: [string, KillPoint, readonly string[]][] = [
  // The snapshot is made at once, and armed within a few hundredths of a second: the kill may come after that.
  ['when the attempt is written down', { file: journal, match: /"event":"claimed"/ }, [old, fresh]],
  // The exchange follows at once: it has happened or not.
  ['right before the exchange', { file: '/run/offline-update/fallback-armed', match: /./ }, [old, fresh]],
  ['when the fallback is armed', { file: journal, match: /"phase":"snapshot"/ }, [old]],
  ['when the install begins', { file: journal, match: /"event":"installing"/ }, [old]],
  ['in the midst of unpacking', inMidInstall, [old]],
  ['in the midst of configuring', { file: terminal, match: /Setting up lab-tiny-010/ }, [old]],
  ['before the commit', { file: journal, match: /"phase":"after"/ }, [old, fresh]],
  ['at the commit', { file: journal, match: /"event":"installed"/ }, [old, fresh]],
  ['after the commit', { file: journal, match: /"phase":"commit"/ }, [fresh]],
  ['when it is about to leave', { file: journal, match: /"note":"leaving"/ }, [fresh]],
];

/** The machine is wholly old or wholly new, and says which. */
async function isOldOrNew(
  t: Test,
  machine: BtrfsMachine,
  before: Awaited<ReturnType<typeof treeOf>>,
  states: readonly string[],
): Promise<void> {
  const status = await statusOf(machine);
  t.ok(states.includes(status.state), `the record says ${status.state}`);
  if (status.state === fresh) {
    t.strictSame(await versionsOf(machine, packages), updated);
    t.equal((await machine.exec('dpkg --audit')).stdout, '');
  } else {
    t.strictSame(treeDifference(before, await treeOf(machine)), [], 'every file is as it was');
  }
  t.notOk(machine.exists('/var/lib/offline-update/fallback.json'), 'the mark is gone');
}

for (const [moment, killWhen, states] of moments) {
  void t.test(`invariant 4: killed ${moment}, the machine is ${states.join(' or ')}`, async (t) => {
    const machine = await armedBtrfsMachine(t, { packages });
    const before = await treeOf(machine);
    t.equal((await machine.boot({ killWhen })).ended, 'killed');
    const boots = await machine.bootUntilSettled();
    if (!states.includes(fresh)) t.equal(boots.length, 1, 'no second update boot, no code of ours');
    await isBackToNormal(t, machine, boots);
    await isOldOrNew(t, machine, before, states);
  });
}

void t.test(
  'invariant 12: cut in mid-install, journal and terminal log are there in the old root',
  async (t) => {
    const machine = await armedBtrfsMachine(t, { packages });
    t.equal((await machine.boot({ killWhen: inMidInstall })).ended, 'killed');
    const boots = await machine.bootUntilSettled();
    t.strictSame(
      boots.map(({ ended }) => ended),
      ['up'],
      'the very next boot is the normal one',
    );
    await isBackToNormal(t, machine, boots);
    const status = await statusOf(machine);
    t.match(status, {
      state: 'reverted',
      reason: {
        code: 'INSTALL_INTERRUPTED',
        message: 'the update boot was cut short in the midst of the install',
      },
    });
    const { stdout } = await machine.exec(['offline-update', 'log', status.id ?? '']);
    t.match(stdout, /Unpacking lab-tiny-005/);
    const { timeline } = await reportOf(machine, status.id ?? '');
    t.match(
      (timeline as { text: string }[])
        .map(({ text }) => text)
        .filter((text) => /installing|reverted/.test(text)),
      [/^installing, with a way back by btrfs/, /^reverted: /],
    );
  },
);

void t.test('a second cut while the record is brought up to the truth', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages });
  const before = await treeOf(machine);
  t.equal((await machine.boot({ killWhen: inMidInstall })).ended, 'killed');
  const cut = await machine.boot({ killWhen: { file: journal, match: /"event":"reverted"/ } });
  t.equal(cut.ended, 'killed');
  const boots = await machine.bootUntilSettled();
  await isBackToNormal(t, machine, boots);
  await isOldOrNew(t, machine, before, [old]);
});

for (const name of ['SIGKILL', 'SIGSEGV']) {
  void t.test(
    `the service dies of ${name} in mid-install: nothing is rolled forward, the old root boots`,
    async (t) => {
      const machine = await armedBtrfsMachine(t, { packages });
      const before = await treeOf(machine);
      const boots = await machine.bootUntilSettled({
        during: async (container: Container) => {
          await container.waitForLine(terminal, (line) => inMidInstall.match.test(line));
          await container.exec(
            ['systemctl', 'kill', '--kill-whom=main', `--signal=${name}`, 'offline-update.service'],
            { check: false },
          );
        },
      });
      await isBackAfterOneReboot(t, machine, boots);
      await isOldOrNew(t, machine, before, [old]);
      t.match(await statusOf(machine), { reason: { code: 'SERVICE_CRASHED' } });
    },
  );
}
