import t from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import {
  armedMachine,
  installedMachine,
  isBackAfterOneReboot,
  isBackToNormal,
  statusOf,
  versionsOf,
} from './installed.js';

const system = '/etc/systemd/system';
const terminal = '/var/lib/offline-update/updates/*/term.log';

/** A fault of the update boot alone; without this, one that stays. */
const onlyInTheUpdateBoot =
  'ConditionPathIsSymbolicLink=|/system-update\nConditionPathIsSymbolicLink=|/system-update.claimed\n';

async function failingService(machine: Machine, condition: string): Promise<void> {
  const unit = `[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n${condition}`;
  await machine.write(
    `${system}/lab-early.service`,
    `${unit}[Service]\nType=oneshot\nExecStart=/usr/bin/false\n`,
  );
  await machine.link('../lab-early.service', `${system}/sysinit.target.requires/lab-early.service`);
}

async function failingMount(machine: Machine, condition: string): Promise<void> {
  const unit = `[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n${condition}`;
  await machine.write(`${system}/mnt.mount`, `${unit}[Mount]\nWhat=none\nWhere=/mnt\nType=nothing\n`);
  await machine.link('../mnt.mount', `${system}/local-fs.target.requires/mnt.mount`);
}

const faults = [
  { what: 'a dependency of sysinit.target', fail: failingService },
  { what: 'a local mount', fail: failingMount },
];

for (const { what, fail } of faults) {
  void t.test(
    `${what} fails in the update boot: nothing changed, one reboot, and status says so`,
    async (t) => {
      const machine = await armedMachine(t, { packages: ['lab-good'] });
      await fail(machine, onlyInTheUpdateBoot);
      const boots = await machine.bootUntilSettled();
      await isBackAfterOneReboot(t, machine, boots);
      t.match(await statusOf(machine), { state: 'refused', reason: { code: 'EARLY_BOOT_FAILED' } });
      t.strictSame(await versionsOf(machine, ['lab-good']), { 'lab-good': '1.0' });
    },
  );

  void t.test(`invariant 11: power-off as the wished end, after ${what} failed`, async (t) => {
    const machine = await armedMachine(t, { packages: ['lab-good'], trigger: ['--action', 'poweroff'] });
    await fail(machine, onlyInTheUpdateBoot);
    t.equal((await machine.boot()).ended, 'poweroff');
    await isBackToNormal(t, machine, await machine.bootUntilSettled());
    t.match(await statusOf(machine), { state: 'refused', reason: { code: 'EARLY_BOOT_FAILED' } });
  });
}

void t.test("invariant 1: the failed early boot of another tool's update is left to systemd", async (t) => {
  const machine = await installedMachine(t, ['lab-good']);
  await machine.link('/var/lib/elsewhere', '/system-update');
  await failingService(machine, onlyInTheUpdateBoot);
  const boots = await machine.bootUntilSettled();
  await isBackAfterOneReboot(t, machine, boots);
  t.notOk(machine.exists('/var/lib/offline-update/rescued'));
  t.notMatch(boots[0]?.console.join('\n') ?? '', /offline-update:/, 'and we say nothing');
});

void t.test('a local mount that fails for good: out of the update once, then as without us', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good'] });
  await failingMount(machine, '');
  const boots = await machine.bootUntilSettled();
  t.strictSame(
    boots.map(({ ended }) => ended),
    ['reboot', 'maintenance'],
  );
  t.notOk(machine.exists('/system-update') || machine.exists('/system-update.claimed'), 'no link is left');
});

void t.test('invariant 5: an interrupted install goes on after an early boot that failed too', async (t) => {
  const packages = ['lab-good', 'lab-slow'];
  const machine = await armedMachine(t, { packages });
  const killWhen = { file: terminal, match: /Unpacking lab-slow/ };
  t.equal((await machine.boot({ killWhen })).ended, 'killed');
  await failingService(machine, onlyInTheUpdateBoot);
  const boots = await machine.bootUntilSettled();
  t.strictSame(
    boots.map(({ ended }) => ended),
    ['reboot', 'up'],
    'the shell finishes it by dpkg',
  );
  await isBackToNormal(t, machine, boots);
  t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0', 'lab-slow': '2.0' });
  t.equal((await statusOf(machine)).state, 'confirmed');
});

void t.test(
  'invariant 5: while /var/lib is away, an interrupted install is not given up but waits',
  async (t) => {
    const packages = ['lab-good', 'lab-slow'];
    const machine = await armedMachine(t, { packages });
    const killWhen = { file: terminal, match: /Unpacking lab-slow/ };
    t.equal((await machine.boot({ killWhen })).ended, 'killed');
    await failingMount(machine, 'After=var-lib.mount\n');
    await machine.write(
      `${system}/var-lib.mount`,
      '[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n[Mount]\nWhat=tmpfs\nWhere=/var/lib\nType=tmpfs\n',
    );
    await machine.link('../var-lib.mount', `${system}/local-fs.target.requires/var-lib.mount`);
    const [waiting] = await machine.bootUntilSettled();
    t.equal(waiting?.ended, 'maintenance', 'the emergency shell, as in any boot without its file systems');
    t.ok(machine.exists('/system-update.claimed'), 'the attempt is still open');
    await machine.kill();

    for (const unit of ['mnt.mount', 'var-lib.mount']) {
      await machine.remove(`${system}/local-fs.target.requires/${unit}`);
      await machine.remove(`${system}/${unit}`);
    }
    const boots = await machine.bootUntilSettled();
    await isBackToNormal(t, machine, boots);
    t.strictSame(await versionsOf(machine, packages), { 'lab-good': '2.0', 'lab-slow': '2.0' });
    t.equal((await statusOf(machine)).state, 'confirmed');
  },
);

void t.test('invariant 14: a daemon-reload in mid-update brings forth the very same guards', async (t) => {
  const machine = await armedMachine(t, { packages: ['lab-good', 'lab-slow'] });
  const generated =
    'cd /run/systemd/generator.early && find . -type l -printf "%p %l\\n" -o -type f -print -exec cat {} + | sort';
  const seen: string[] = [];
  const boots = await machine.bootUntilSettled({
    during: async (container) => {
      await container.waitForLine(terminal, (line) => line.includes('Unpacking'));
      for (const then of ['true', 'systemctl daemon-reload', 'systemctl daemon-reexec']) {
        const { stdout } = await container.exec(
          `${then}; ${generated}; systemctl is-enabled ctrl-alt-del.target`,
          {
            check: false,
          },
        );
        seen.push(stdout);
      }
      await container.signal('SIGINT');
    },
  });
  t.match(seen[0], /default\.target .*system-update\.target/);
  t.match(seen[0], /^masked/m, 'Ctrl-Alt-Del is masked');
  t.strictSame(seen.slice(1), [seen[0], seen[0]]);
  await isBackToNormal(t, machine, boots);
  t.equal((await statusOf(machine)).state, 'confirmed');
});
