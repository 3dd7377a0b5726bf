import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemPorts } from '../../src/cli/ports.js';
import { thisBoot } from '../../src/cli/this-boot.js';
import { cancelUpdate } from '../../src/prepare/cancel.js';
import { defaultPolicy } from '../../src/update/policy.js';

void t.test('the real ports work below any root', async (t) => {
  const root = t.testdir({ etc: { 'offline-update': { 'config.toml': 'attempts = 2\n' } } });
  const ports = await systemPorts(root);
  t.equal(ports.online.paths.stage, join(root, '/var/lib/system-update'));
  t.match(ports.online.moment.bootId, /^[0-9a-f-]{36}$/);
  t.strictSame(await ports.policy(), { ...defaultPolicy, attempts: 2 });
  t.equal((await ports.snapshots()).name, 'none');
  t.equal(typeof (await ports.payload()).planFromPlugin, 'function');
  t.strictSame(await ports.run('sh', ['-c', 'echo said; exit 3']), {
    exitCode: 3,
    signal: undefined,
    stdout: 'said',
    stderr: '',
  });
  mkdirSync(join(root, 'run'));
  const lock = await ports.online.takeLock(join(root, 'run/lock'));
  await t.rejects(ports.online.takeLock(join(root, 'run/lock')), { code: 'LOCK_HELD' });
  lock.release();
});

void t.test('a root that is not there has no update, and gets nothing', async (t) => {
  const root = t.testdir({ file: '' });
  for (const name of ['nothing', 'file']) {
    const message = `${join(root, name)} is not a folder: no system is there`;
    await t.rejects(systemPorts(join(root, name)), { code: 'USAGE', message });
  }
});

void t.test('an update below another root stops no timer of this machine', async (t) => {
  const root = t.testdir({ programs: {}, run: {}, var: { lib: { 'offline-update': { updates: {} } } } });
  const systemctl = `#!/bin/sh\necho "$*" >>${root}/calls\n`;
  writeFileSync(join(root, 'programs/systemctl'), systemctl, { mode: 0o755 });
  const path = process.env['PATH'] ?? '';
  process.env['PATH'] = `${root}/programs:${path}`;
  t.teardown(() => (process.env['PATH'] = path));
  const ports = await systemPorts(root);
  const { online } = ports;
  writeFileSync(online.paths.scheduled, '{}\n');
  t.match(await cancelUpdate(online, await ports.scheduler()), { id: null, unscheduled: true });
  t.notOk(existsSync(join(root, 'calls')));
  t.notOk(existsSync(online.paths.scheduled));
});

void t.test('a chroot without /proc is told what it lacks', async (t) => {
  await t.rejects(thisBoot(join(t.testdir(), 'proc/sys/kernel/random/boot_id')), {
    code: 'INTERNAL',
    message: '/proc is not mounted here: it cannot be told which boot this is',
    hint: 'mount -t proc proc /proc',
  });
});

void t.test('facts of this machine', async (t) => {
  const root = t.testdir();
  const { facts } = await systemPorts(root);
  const there = await facts.freeSpace(root);
  const notYet = await facts.freeSpace(join(root, 'not/made/yet'));
  t.ok(there.bytes > 0);
  t.ok(notYet.bytes > 0, 'of a folder that is not made yet: where it will be made');
  t.equal(await facts.isWritableFolder(root), true);
  t.equal(await facts.packageLockHolder(), undefined);
  t.type(await facts.isChroot(), 'boolean');
  t.type(await facts.runsUnderSystemd(), 'boolean');
  t.ok(Array.isArray(await facts.kernelCommandLine()));
  const version = await facts.systemdVersion().catch((error: unknown) => error);
  t.ok(typeof version === 'number' || version instanceof Error);
});
