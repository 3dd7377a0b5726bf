import t from 'tap';
import type { UpdateEvent } from '../../src/update/events.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { commit } from '../../src/update-service/commit.js';
import { syncDisks } from '../../src/update-service/sync-disks.js';

void t.test(
  'invariant 3: all file systems are synced, then `installed` is written, then the updated root boots',
  async (t) => {
    const acts: string[] = [];
    const note = (act: string) => () => {
      acts.push(act);
      return Promise.resolve();
    };
    const attempt = {
      number: 1,
      fallback: { provider: 'btrfs', reference: '@' },
      plan: { payload: {} },
      ports: {
        payload: { leftovers: () => Promise.resolve([]) },
        fs: { syncFileSystem: (path: string) => note(`sync ${path}`)() },
        snapshots: { commit: note('commit') },
      },
      update: { journal: { append: ({ event }: UpdateEvent) => note(event)() } },
    };
    await commit(attempt as unknown as Attempt);
    const syncs = acts.filter((act) => act.startsWith('sync '));
    t.ok(syncs.includes('sync /'), 'the root is among them');
    t.strictSame(acts, [...syncs, 'installed', 'commit']);
  },
);

void t.test('each file system is synced once, and what a host lends its container not at all', async (t) => {
  const mount = (target: string, device: string, type = 'btrfs', writable = true) => ({
    ...{ target, device, type, writable },
    ...{ source: '/dev/x', root: '/', options: [] },
  });
  const mounts = [
    mount('/', '0:30'),
    mount('/home', '0:30'),
    mount('/boot', '8:1', 'ext4'),
    mount('/boot/efi', '0:40', 'autofs'),
    mount('/mnt', '8:4', 'ext4'),
    mount('/mnt', '8:5', 'iso9660', false),
    mount('/media', '8:4', 'ext4'),
    mount('/boot/efi', '8:2', 'vfat'),
    mount('/srv', '8:3', 'ext4', false),
    mount('/run', '0:21', 'tmpfs'),
    mount('/run/host/incoming', '8:9', 'ext4'),
  ];
  const synced: string[] = [];
  const syncFileSystem = (path: string) => Promise.resolve(void synced.push(path));
  await syncDisks({
    fs: { syncFileSystem },
    kernel: { mounts: () => Promise.resolve(mounts) },
  } as unknown as Parameters<typeof syncDisks>[0]);
  t.strictSame(synced.sort(), ['/', '/boot', '/boot/efi', '/media']);
});
