import t from 'tap';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBootId } from '../../src/host/boot-id.js';
import type { RunCommand } from '../../src/host/command.js';
import { lastSynchronization } from '../../src/host/clock.js';
import { freeSpace } from '../../src/host/disk-space.js';
import { hashingInTurn, sha256OfFile, sha256OfFiles, sha256OfText } from '../../src/host/hash.js';
import { readKernelCommandLine } from '../../src/host/kernel-command-line.js';
import { takeLock } from '../../src/host/lock.js';
import { isWritableFolder, mountOf, readMounts } from '../../src/host/mounts.js';
import { isChroot, runsUnderSystemd, systemdVersion } from '../../src/host/systemd.js';

void t.test('the boot id is the kernel’s, without its newline', async (t) => {
  const folder = t.testdir({ boot_id: '7d3d1f0e-0000-4000-8000-000000000001\n' });
  t.equal(await readBootId(join(folder, 'boot_id')), '7d3d1f0e-0000-4000-8000-000000000001');
  t.match(await readBootId(), /^[0-9a-f-]{36}$/);
});

void t.test('the kernel command line is split as systemd does it', async (t) => {
  const file = join(
    t.testdir({ cmdline: `root=/dev/sda1  ro "a b"=c x='d "e' quiet\tsystemd.unit="rescue.target" "end\n` }),
    'cmdline',
  );
  t.same(await readKernelCommandLine(file), [
    'root=/dev/sda1',
    'ro',
    'a b=c',
    'x=d "e',
    'quiet',
    'systemd.unit=rescue.target',
    'end\n',
  ]);
  process.env['SYSTEMD_PROC_CMDLINE'] = 'single 3';
  t.teardown(() => delete process.env['SYSTEMD_PROC_CMDLINE']);
  t.same(await readKernelCommandLine(file), ['single', '3']);
});

void t.test('the version of systemd is its first number', async (t) => {
  const answers =
    (stdout: string): RunCommand =>
    () =>
      Promise.resolve({ exitCode: 0, signal: undefined, stdout, stderr: '' });
  t.equal(await systemdVersion(answers('systemd 257 (257.9-1~deb13u1)\n+PAM +AUDIT')), 257);
  t.equal(await systemdVersion(answers('systemd 255~rc1')), 255);
  await t.rejects(systemdVersion(answers('')), { code: 'COMMAND_FAILED' });
});

void t.test('systemd runs where its folder is', async (t) => {
  const root = t.testdir({ folder: {}, file: '' });
  t.equal(await runsUnderSystemd(join(root, 'folder')), true);
  t.equal(await runsUnderSystemd(join(root, 'file')), false);
  t.equal(await runsUnderSystemd(join(root, 'absent')), false);
});

void t.test('a chroot is another root than that of PID 1, or no sight of it', async (t) => {
  const root = t.testdir({ one: {}, other: {} });
  t.equal(await isChroot(join(root, 'one'), join(root, 'one')), false);
  t.equal(await isChroot(join(root, 'one'), join(root, 'other')), true);
  t.equal(await isChroot(join(root, 'no-proc'), join(root, 'one')), true);
});

const mountinfo = `22 1 0:21 /@ / rw,relatime shared:1 - btrfs /dev/vda2 rw,space_cache=v2,subvol=/@
23 22 8:1 / /boot ro,relatime - ext4 /dev/vda1 rw
24 22 0:30 / /mnt/with\\040blank rw shared:2 master:3 - tmpfs tmp\\134fs rw
25 22 0:31 / /usr rw - overlay overlay ro,lowerdir=/a
26 22 8:2 / /boot rw - ext4 /dev/vdb1 rw
27 22 0:40 / /dev rw -
`;

void t.test('mounts are read with their escapes, and read-only either way', async (t) => {
  const file = join(t.testdir({ mountinfo }), 'mountinfo');
  const mounts = await readMounts(file);
  t.same(mounts[0], {
    target: '/',
    source: '/dev/vda2',
    type: 'btrfs',
    device: '0:21',
    options: ['rw', 'relatime', 'rw', 'space_cache=v2', 'subvol=/@'],
    writable: true,
    root: '/@',
  });
  t.same(
    mounts.map(({ target, source, writable }) => `${target} ${source} ${writable}`),
    [
      '/ /dev/vda2 true',
      '/boot /dev/vda1 false',
      '/mnt/with blank tmp\\fs true',
      '/usr overlay false',
      '/boot /dev/vdb1 true',
      '/dev  true',
    ],
  );
});

void t.test('a path belongs to the deepest mount, and to the last of two on one folder', async (t) => {
  const mounts = await readMounts(join(t.testdir({ mountinfo }), 'mountinfo'));
  const target = (path: string): string =>
    `${mountOf(path, mounts)?.target} ${mountOf(path, mounts)?.source}`;
  t.equal(target('/usr/lib/x'), '/usr overlay');
  t.equal(target('/usrlocal'), '/ /dev/vda2');
  t.equal(target('/boot'), '/boot /dev/vdb1');
  t.equal(target('/mnt/with blank/file'), '/mnt/with blank tmp\\fs');
  t.equal(mountOf('/', []), undefined);
});

void t.test(
  'a folder is writable when it is one, may be written and its mount is not read-only',
  async (t) => {
    const root = t.testdir({ folder: {}, file: '' });
    const info = (options: string): string => {
      const file = join(root, `mountinfo-${options}`);
      writeFileSync(file, `22 1 0:21 / / ${options} - ext4 /dev/vda rw\n`);
      return file;
    };
    t.equal(await isWritableFolder(join(root, 'folder')), true);
    t.equal(await isWritableFolder(join(root, 'folder'), info('rw')), true);
    t.equal(await isWritableFolder(join(root, 'folder'), info('ro')), false);
    t.equal(await isWritableFolder(join(root, 'file')), false);
    t.equal(await isWritableFolder(join(root, 'absent')), false);
    t.equal(await isWritableFolder('/proc/self'), false);
  },
);

void t.test('free space is what df says', async (t) => {
  const df = execFileSync('df', ['--block-size=1', '--output=avail', t.testdir({})], { encoding: 'utf8' });
  const { bytes, inodes } = await freeSpace(t.testdirName);
  const told = Number(df.split('\n')[1]);
  t.ok(Math.abs(bytes - told) < 256 * 1024 * 1024, `${bytes} is near ${told}`);
  t.ok(inodes > 0);
  await t.rejects(freeSpace(join(t.testdirName, 'absent')), { code: 'ENOENT' });
});

const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';

void t.test('hashes are those of sha256sum', async (t) => {
  const root = t.testdir({ abc: 'abc', empty: '', big: Buffer.alloc(1_000_001, 'x') });
  t.equal(sha256OfText('abc'), abc);
  t.equal(await sha256OfFile(join(root, 'abc')), abc);
  const paths = ['big', 'abc', 'empty', 'abc'].map((name) => join(root, name));
  const sums = await sha256OfFiles(paths, 2);
  const told = execFileSync('sha256sum', paths.slice(0, 3), { encoding: 'utf8' });
  t.equal([...sums].map(([path, sum]) => `${sum}  ${path}\n`).join(''), told);
});

void t.test('only a regular file is hashed, and a pipe does not hold us', async (t) => {
  const root = t.testdir({ file: 'abc', folder: {} });
  symlinkSync('file', join(root, 'link'));
  execFileSync('mkfifo', [join(root, 'pipe')]);
  for (const name of ['link', 'folder', 'pipe']) {
    await t.rejects(sha256OfFile(join(root, name)), {
      code: 'NOT_A_FILE',
      message: `${join(root, name)} is not a regular file`,
    });
  }
  await t.rejects(sha256OfFiles([join(root, 'file'), join(root, 'absent')]), { code: 'ENOENT' });
});

void t.test(
  'files that come one by one are hashed two at a time, in turn; a failure is its own',
  async (t) => {
    const ends = new Map<string, () => void>();
    const sha256Of = hashingInTurn(2, async (path) => {
      await new Promise<void>((resolve) => ends.set(path, resolve));
      if (path.startsWith('bad')) throw new Error('unreadable');
      return `sum of ${path}`;
    });
    const [one, bad, three] = [sha256Of('one'), sha256Of('bad'), sha256Of('three')];
    void sha256Of('bad too'); // nobody waits for it: no unhandled rejection
    t.strictSame([...ends.keys()], ['one', 'bad']);
    ends.get('bad')?.();
    await t.rejects(bad, { message: 'unreadable' });
    t.strictSame([...ends.keys()], ['one', 'bad', 'three']);
    ends.get('three')?.();
    ends.get('one')?.();
    t.strictSame([await one, await three], ['sum of one', 'sum of three']);
    t.ok(ends.has('bad too'));
    ends.get('bad too')?.();
    await new Promise(setImmediate);
    t.equal(await hashingInTurn()(join(t.testdir({ abc: 'abc' }), 'abc')), abc);
  },
);

void t.test('one holder at a time; the other is told who it is', async (t) => {
  const path = join(t.testdir({}), 'lock');
  const lock = await takeLock(path);
  await t.rejects(takeLock(path), {
    code: 'LOCK_HELD',
    message: new RegExp(`^${path} is locked by process ${process.pid} \\(.*node.*\\)$`),
  });
  lock.release();
  lock.release();
  t.equal(readFileSync(path, 'utf8'), '');
  (await takeLock(path)).release();
});

void t.test('one who waits gets the lock when it is released', async (t) => {
  const path = join(t.testdir({}), 'lock');
  const first = await takeLock(path);
  const second = takeLock(path, 30);
  setImmediate(() => {
    first.release();
  });
  (await second).release();
});

void t.test('the lock of a killed process is free again, and its old name is no obstacle', async (t) => {
  const path = join(t.testdir({}), 'lock');
  const holder = spawn('flock', [path, 'sh', '-c', `echo 999999 > ${path}; echo locked; exec sleep 60`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  await once(holder.stdout, 'data');
  await t.rejects(takeLock(path), { code: 'LOCK_HELD', message: `${path} is locked by process 999999` });
  const gone = once(holder, 'exit');
  process.kill(-(holder.pid ?? NaN), 'SIGKILL');
  await gone;
  const lock = await takeLock(path, 30);
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
  lock.release();
});

void t.test('children do not inherit the lock', async (t) => {
  const path = join(t.testdir({}), 'lock');
  const lock = await takeLock(path);
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  lock.release();
  (await takeLock(path)).release();
});

void t.test('no place for the lock, or no flock, is told as it is', async (t) => {
  const root = t.testdir({ bin: {} });
  await t.rejects(takeLock(join(root, 'absent', 'lock')), { code: 'ENOENT' });
  const before = process.env['PATH'];
  t.teardown(() => (process.env['PATH'] = before));
  process.env['PATH'] = join(root, 'bin');
  await t.rejects(takeLock(join(root, 'lock')), { code: 'COMMAND_NOT_FOUND' });
  mkdirSync(join(root, 'bin'), { recursive: true });
  writeFileSync(join(root, 'bin', 'flock'), '#!/bin/sh\nexit 71\n');
  chmodSync(join(root, 'bin', 'flock'), 0o755);
  await t.rejects(takeLock(join(root, 'lock')), {
    code: 'COMMAND_FAILED',
    message: `cannot lock ${join(root, 'lock')}: flock ended with 71`,
  });
});

void t.test('the clock was right when it was last synchronized, if anybody keeps that', async (t) => {
  const folder = t.testdir({ clock: '' });
  const moment = new Date(Date.UTC(2026, 10, 20));
  utimesSync(join(folder, 'clock'), moment, moment);
  t.strictSame(await lastSynchronization(join(folder, 'clock')), moment);
  t.equal(await lastSynchronization(join(folder, 'none')), undefined);
});
