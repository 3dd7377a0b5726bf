import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSystem } from '../../src/host/file-system.js';
import { withoutSnapshots } from '../../src/snapshots/unsupported.js';
import { mountAt } from '../fixtures/mount-at.js';

/** Two device-mapper devices: a logical volume and an encrypted disk. */
function sysfs(t: Test): string {
  const dm = (name: string, uuid: string): { dm: { name: string; uuid: string } } => ({
    dm: { name: `${name}\n`, uuid: `${uuid}\n` },
  });
  return t.testdir({
    class: {
      block: {
        vda: {},
        'dm-0': dm('vg0-root', 'LVM-AbCd'),
        'dm-1': dm('vda2_crypt', 'CRYPT-LUKS2-00'),
      },
    },
  });
}

void t.test('ZFS and LVM are told as what they are, and that they are not supported', async (t) => {
  const told = async (type: string, source: string, sys = sysfs(t)): Promise<string> => {
    const provider = await withoutSnapshots(fileSystem, mountAt('/', { type, source }), sys);
    const { usable, reason } = await provider.probe();
    t.notOk(usable);
    return reason;
  };
  t.equal(
    await told('zfs', 'rpool/ROOT/debian'),
    '/ is the ZFS dataset rpool/ROOT/debian, whose snapshots are not supported',
  );
  const lvm = (device: string): string =>
    `/ is ext4 on the logical volume ${device}, and LVM snapshots are not supported`;
  for (const device of ['/dev/mapper/vg0-root', '/dev/dm-0'])
    t.equal(await told('ext4', device), lvm(device));
  for (const device of ['/dev/mapper/vda2_crypt', '/dev/vda2', 'overlay'])
    t.equal(await told('ext4', device), 'ext4 has no snapshots');
  t.equal(await told('xfs', '/dev/mapper/vg0-root', join(t.testdirName, 'none')), 'xfs has no snapshots');
});

void t.test('a root that cannot be seen', async (t) => {
  const provider = await withoutSnapshots(fileSystem, undefined);
  t.match(await provider.probe(), { usable: false, reason: 'the mount of / cannot be seen' });
});
