import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readRunningSystem } from '../../src/host/running-system.js';

const now = Date.UTC(2026, 10, 21, 12);
const maps = (...files: string[]): string =>
  files.map((file, n) => `7f000000${n}000-7f000000${n}fff r-xp 00000000 08:02 ${n}  ${file}\n`).join('');

/** PID 1 was started 100 s after the kernel, which has been up for `upSeconds`. */
function proc(t: Test, upSeconds: number, exe = '/usr/lib/systemd/systemd', mapped = ''): string {
  const fields = ['S', ...Array.from({ length: 18 }, () => '0'), '10000', '0'];
  return t.testdir({
    uptime: `${upSeconds}.00 1.00\n`,
    1: { stat: `1 (system d)) ${fields.join(' ')}\n`, exe: t.fixture('symlink', exe), maps: mapped },
  });
}

void t.test(
  'this boot begins with PID 1; what changed before or since is told by its ctime alone',
  async (t) => {
    const file = (name: string): string => join(t.testdirName, name);
    const folder = proc(t, 3600);
    writeFileSync(file('fstab'), 'a\n');
    const began = Date.now();
    // As a package does it: an old time stamp, and a name that is taken in one step.
    utimesSync(file('fstab'), 0, 0);
    renameSync(file('fstab'), file('fstab.new'));
    const upUntil = (milliseconds: number) => readRunningSystem(folder, milliseconds);
    const after = await upUntil(began + 3500_000 - 60_000);
    t.equal(await after.isChangedInThisBoot(file('fstab.new')), true);
    t.equal(await after.isChangedInThisBoot(file('absent')), false);
    const before = await upUntil(began + 3500_000 + 60_000);
    t.equal(await before.isChangedInThisBoot(file('fstab.new')), false);
  },
);

void t.test('vfat knows no ctime of its own: when the file was made there tells as well', async (t) => {
  const folder = proc(t, 3600);
  const began = now - 3500_000;
  const isChanged = async (ctimeMs: number, birthtimeMs: number): Promise<boolean> => {
    const look = () => Promise.resolve({ ctimeMs, birthtimeMs });
    return (await readRunningSystem(folder, now, look)).isChangedInThisBoot('/boot/efi/EFI/Linux/a.efi');
  };
  t.equal(await isChanged(0, began + 1000), true, 'copied with its old time stamps');
  t.equal(await isChanged(began + 1000, began - 1000), true, 'written to');
  t.equal(await isChanged(began - 1000, began - 1000), false);
  t.equal(await isChanged(began - 1000, 0), false, 'a file system that keeps no time of birth');
});

void t.test('a beginning that cannot be told is an error, and no beginning', async (t) => {
  const folder = proc(t, 3600);
  writeFileSync(join(folder, '1/stat'), '1 (systemd) S\n');
  const message = `${folder} does not tell when this boot began`;
  await t.rejects(readRunningSystem(folder, now), { message });
  rmSync(join(folder, '1/stat'));
  await t.rejects(readRunningSystem(folder, now), { message });
});

void t.test('what PID 1 runs and is gone is told, memory without a file is not', async (t) => {
  const libc = '/usr/lib/x86_64-linux-gnu/libc.so.6';
  const mapped = maps(
    '/usr/lib/systemd/systemd (deleted)',
    `${libc} (deleted)`,
    `${libc} (deleted)`,
    '/usr/lib/x86_64-linux-gnu/libcap.so.2',
    '/memfd:systemd-state (deleted)',
    '/dev/zero (deleted)',
    '[heap]',
  );
  const old = await readRunningSystem(proc(t, 200, '/usr/lib/systemd/systemd (deleted)', mapped), now);
  t.strictSame(old.replacedUnderPid1, ['/usr/lib/systemd/systemd', libc]);
  const current = await readRunningSystem(proc(t, 200), now);
  t.strictSame(current.replacedUnderPid1, []);
});

void t.test('this very machine can be read', async (t) => {
  const system = await readRunningSystem();
  t.equal(await system.isChangedInThisBoot(join(t.testdir({ fresh: '' }), 'fresh')), true);
  t.equal(await system.isChangedInThisBoot('/no/such/file'), false);
});
