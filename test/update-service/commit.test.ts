import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import type { Mount } from '../../src/host/mounts.js';
import type { UpdateEvent } from '../../src/update/events.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { commit } from '../../src/update-service/commit.js';
import { syncDisks } from '../../src/update-service/sync-disks.js';
import { mountAt } from '../fixtures/mount-at.js';

interface Scene {
  acts: string[];
  /** Writes a row of the journal. */
  append?: () => Promise<void>;
  /** What the switch has to find out before. */
  mounted?: Promise<void>;
}

/** With a fallback; what happens is noted in `acts`. */
function attemptWith({ acts, append = () => Promise.resolve(), mounted }: Scene): Attempt {
  const attempt = {
    number: 1,
    fallback: { provider: 'btrfs', reference: '@' },
    plan: { payload: {} },
    ports: {
      payload: { leftovers: () => Promise.resolve([]) },
      fs: { syncFileSystem: (path: string) => Promise.resolve(void acts.push(`sync ${path}`)) },
      snapshots: {
        async commit(_fallback: unknown, when?: Promise<unknown>) {
          await mounted;
          await when;
          acts.push('switch');
        },
      },
    },
    update: {
      journal: {
        async append({ event }: UpdateEvent) {
          await append();
          acts.push(event);
        },
      },
    },
  };
  return attempt as unknown as Attempt;
}

void t.test(
  'invariant 3: all file systems are synced, then `installed` is written, then the updated root boots',
  async (t) => {
    const acts: string[] = [];
    await commit(attemptWith({ acts }));
    const syncs = acts.filter((act) => act.startsWith('sync '));
    t.ok(syncs.includes('sync /'), 'the root is among them');
    t.strictSame(acts, [...syncs, 'installed', 'switch']);
  },
);

void t.test(
  'a switch that fails is told when the row is written, and without a row there is none',
  async (t) => {
    const acts: string[] = [];
    const done = (): string[] => acts.filter((act) => !act.startsWith('sync '));
    const noSpace = Promise.reject(new Error('no space'));
    await t.rejects(commit(attemptWith({ acts, append: () => noSpace })), { message: 'no space' });
    t.strictSame(done(), [], 'nothing is switched');
    const noMount = Promise.reject(new Error('no mount'));
    await t.rejects(commit(attemptWith({ acts, append: setImmediate, mounted: noMount })), {
      message: 'no mount',
    });
    t.strictSame(done(), ['installed'], 'and no row comes after the failure');
  },
);

interface Given {
  mounts: readonly Mount[];
  /** Went away since the mounts were read. */
  gone?: string;
  /** Of `sync` without a path. */
  exitCode?: number;
}

const mount = (target: string, device: string, type = 'btrfs', writable = true): Mount =>
  mountAt(target, { device, type, writable });

/** Sorted: what was synced; `everything` by the one call that names nothing. */
async function synced({ mounts, gone, exitCode = 0 }: Given): Promise<string[]> {
  const paths: string[] = [];
  await syncDisks({
    fs: {
      syncFileSystem: (path: string) =>
        path === gone
          ? Promise.reject(Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' }))
          : Promise.resolve(void paths.push(path)),
    },
    kernel: { mounts: () => Promise.resolve(mounts) },
    run: (file: string, args: readonly string[]) => {
      paths.push(file === 'sync' && args.length === 0 ? 'everything' : [file, ...args].join(' '));
      return Promise.resolve({ exitCode, stderr: 'sick' });
    },
  } as unknown as Parameters<typeof syncDisks>[0]);
  return paths.sort();
}

void t.test('each file system is synced once, and what a host lends its container not at all', async (t) => {
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
  t.strictSame(await synced({ mounts }), ['/', '/boot', '/boot/efi', '/media']);
});

void t.test('a file system is synced where it can be reached', async (t) => {
  const root = mount('/', '8:1', 'ext4');
  const mounts = [root, mount('/data/old', '8:2'), mount('/data', '8:3'), mount('/srv', '8:2')];
  t.strictSame(await synced({ mounts }), ['/', '/data', '/srv'], 'hidden by a later mount of its parent');
  const gone = [root, mount('/tmp/x//deleted', '8:2'), mount('/srv', '8:2')];
  t.strictSame(await synced({ mounts: gone }), ['/', '/srv'], 'its folder was removed');
  const early = [mount('/usr', '8:2'), root];
  t.strictSame(await synced({ mounts: early }), ['/', '/usr'], 'mounted before the root, by the initramfs');
});

void t.test('invariant 3: a disk that cannot be reached by any path is synced with all others', async (t) => {
  const root = mount('/', '8:1', 'ext4');
  for (const hidden of [
    [mount('/data/old', '8:2'), mount('/data', '8:1')],
    [mount('/data', '8:2'), mount('/data', '0:9', 'tmpfs')],
    [mount('/data//deleted', '8:2')],
  ]) {
    t.strictSame(await synced({ mounts: [root, ...hidden] }), ['/', 'everything']);
  }
  const [mounts, gone] = [[root, mount('/data', '8:2')], '/data'];
  t.strictSame(await synced({ mounts, gone }), ['/', 'everything']);
  await t.rejects(synced({ mounts, gone, exitCode: 1 }), { code: 'INTERNAL', message: 'cannot sync: sick' });
});
