import t from 'tap';
import { isLookedInto, throwAwayMounts, type MountFacts } from '../../src/host/throw-away-mounts.js';

const folder = (target: string, type: string, usedBytes = 0): MountFacts => ({
  target,
  type,
  isFolder: true,
  usedBytes,
});

void t.test('disks are overlaid, vfat is copied, memory is empty, and the rest is left out', (t) => {
  const mounts = [
    folder('/', 'ext4'),
    folder('/proc', 'proc'),
    folder('/sys/fs/cgroup', 'cgroup2'),
    folder('/run', 'tmpfs'),
    folder('/run/user/1000', 'tmpfs'),
    folder('/dev/shm', 'tmpfs'),
    folder('/boot/efi', 'vfat', 30_000_000),
    folder('/boot', 'ext4'),
    folder('/home', 'xfs'),
    folder('/var', 'btrfs'),
    folder('/tmp', 'tmpfs'),
    folder('/mnt/server', 'nfs4'),
    folder('/mnt/phone', 'fuse.jmtpfs'),
  ];
  t.strictSame(throwAwayMounts(mounts), [
    { how: 'overlay', path: '/boot' },
    { how: 'copy', path: '/boot/efi' },
    { how: 'overlay', path: '/home' },
    { how: 'empty', path: '/tmp' },
    { how: 'overlay', path: '/var' },
  ]);
  t.end();
});

void t.test(
  'what cannot be overlaid is read-only: large vfat, single files, names that mount cannot take',
  (t) => {
    const mounts = [
      folder('/media/stick', 'vfat', 2 ** 31),
      { ...folder('/etc/localtime', 'ext4'), isFolder: false },
      folder('/srv/a:b', 'ext4'),
      folder('/srv/a,b', 'ext4'),
    ];
    t.strictSame(
      throwAwayMounts(mounts).map(({ how }) => how),
      ['read-only', 'read-only', 'read-only', 'read-only'],
    );
    t.end();
  },
);

void t.test('of two mounts on one path the last one is seen', (t) => {
  const mounts = [folder('/srv', 'ext4'), folder('/srv', 'tmpfs')];
  t.strictSame(throwAwayMounts(mounts), [{ how: 'empty', path: '/srv' }]);
  t.end();
});

void t.test('a server that does not answer is not even asked', (t) => {
  t.notOk(isLookedInto({ target: '/mnt/server', type: 'nfs4' }));
  t.notOk(isLookedInto({ target: '/run/user/1000', type: 'tmpfs' }));
  t.ok(isLookedInto({ target: '/boot/efi', type: 'vfat' }));
  t.end();
});
