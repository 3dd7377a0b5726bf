/** The package manager's syncs: suppressed only while a fallback boots next, and synced once before the commit. */
import t, { type Test } from 'tap';
import type { Machine } from '../laboratory/laboratory.js';
import { armedBtrfsMachine } from './btrfs-machines.js';
import { armedMachine, isBackToNormal, reportOf, statusOf, versionsOf } from './installed.js';

const packages = ['lab-syncs', 'lab-good'];
const updated = { 'lab-syncs': '2.0', 'lab-good': '2.0' };

/** What the fixture's postinst saw of its syncs, and what the report says. */
async function told(
  t: Test,
  machine: Machine,
): Promise<{ scripts: string; hook: string; report: Record<string, unknown> }> {
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const { state, id } = await statusOf(machine);
  t.equal(state, 'confirmed');
  t.strictSame(await versionsOf(machine, packages), updated);
  const log = await machine.exec(['offline-update', 'log', id ?? '']);
  return {
    scripts: /^lab: fsync is (\w+)$/m.exec(log.stdout)?.[1] ?? '',
    hook: /^offline-update: the hook .*\n(\w+)$/m.exec(log.stdout)?.[1] ?? '',
    report: await reportOf(machine, id ?? ''),
  };
}

/** Our own children sync for real: a hook does, as the commit after it. */
const hook = `#!/bin/sh\nperl -e 'print syscall(74, 99) == 0 ? "suppressed" : "real"'\n`;

void t.test('with a fallback the syncs of the packages are suppressed, ours are not', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages });
  await machine.write('/etc/offline-update/after-install.d/50-syncs', hook);
  const { scripts, hook: ofHook, report } = await told(t, machine);
  t.strictSame([scripts, ofHook], ['suppressed', 'real']);
  t.match(report, { syncs: 'suppressed', findings: [], hooks: [{ exitCode: 0 }] });
});

void t.test('a package that fails is reverted all the same, and a stall is still seen', async (t) => {
  const machine = await armedBtrfsMachine(t, {
    packages: ['lab-good', 'lab-hangs'],
    config: 'stallTimeoutSeconds = 3\n',
  });
  await isBackToNormal(t, machine, await machine.bootUntilSettled());
  const status = await statusOf(machine);
  t.match(status, { state: 'reverted', reason: { code: 'INSTALL_STALLED', message: /lab-hangs/ } });
  t.match(await reportOf(machine, status.id ?? ''), { syncs: 'suppressed' });
  t.strictSame(await versionsOf(machine, ['lab-good', 'lab-hangs']), {
    'lab-good': '1.0',
    'lab-hangs': '1.0',
  });
});

void t.test('the policy keeps them', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages, config: 'packageSyncs = "keep"\n' });
  const { scripts, report } = await told(t, machine);
  t.equal(scripts, 'real');
  t.match(report, { syncs: 'kept', findings: [] });
});

void t.test('where they cannot be suppressed, the update goes on and says why', async (t) => {
  const machine = await armedBtrfsMachine(t, { packages });
  await machine.write(
    '/usr/local/sbin/perl',
    '#!/bin/sh\ncase $* in *sock_fprog* | *"S x!"*) echo "no seccomp here" >&2; exit 125 ;; esac\nexec /usr/bin/perl "$@"\n',
  );
  const { scripts, report } = await told(t, machine);
  t.equal(scripts, 'real');
  t.match(report, {
    syncs: 'kept',
    findings: [{ check: 'syncs', message: 'every sync is made: no seccomp here' }],
  });
});

void t.test('invariant 5: without a fallback every sync is made', async (t) => {
  const machine = await armedMachine(t, { packages });
  const { scripts, report } = await told(t, machine);
  t.equal(scripts, 'real');
  t.match(report, { syncs: 'kept' });
});
