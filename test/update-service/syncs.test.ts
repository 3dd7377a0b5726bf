import t from 'tap';
import { isBootLoader } from '../../src/payloads/packages/apt/boot-loaders.js';
import type { JournalEntry } from '../../src/update/events.js';
import { defaultPolicy } from '../../src/update/policy.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { chooseSyncs } from '../../src/update-service/syncs.js';

interface Given {
  inPlace?: string;
  fallback?: boolean;
  packageSyncs?: 'auto' | 'keep';
  writesBootLoader?: boolean;
  why?: string;
}

/** What was chosen, what was recorded, and how often the machine was asked. */
async function chosen(given: Given): Promise<{ syncs: string; rows: JournalEntry[]; asked: number }> {
  const rows: JournalEntry[] = [];
  let asked = 0;
  const attempt = {
    fallback:
      given.fallback === true
        ? {
            provider: 'btrfs',
            reference: '@',
            ...(given.inPlace !== undefined && { inPlace: given.inPlace }),
          }
        : undefined,
    plan: { policy: { ...defaultPolicy, packageSyncs: given.packageSyncs ?? 'auto' }, payload: {} },
    ports: {
      payload: { writesBootLoader: () => given.writesBootLoader === true },
      whySyncsStay: () => {
        asked += 1;
        return Promise.resolve(given.why);
      },
    },
    update: {
      journal: {
        append: (row: JournalEntry) => {
          rows.push(row);
          return Promise.resolve();
        },
      },
    },
  };
  const syncs = await chooseSyncs(attempt as unknown as Attempt);
  return { syncs, rows, asked };
}

const finding = (message: string) => [{ note: 'finding', check: 'syncs', message }];

void t.test('invariant 5: without a fallback every sync is made, and nothing is tried', async (t) => {
  t.strictSame(await chosen({}), { syncs: 'kept', rows: [], asked: 0 });
});

void t.test('with a fallback they are suppressed', async (t) => {
  t.strictSame(await chosen({ fallback: true }), { syncs: 'suppressed', rows: [], asked: 1 });
});

void t.test('a root that is changed in its place has to boot after a cut: every sync is made', async (t) => {
  t.strictSame(await chosen({ fallback: true, inPlace: '/' }), {
    syncs: 'kept',
    rows: finding('every sync is made: / is changed in its place, and boots after a cut'),
    asked: 0,
  });
});

void t.test('the policy can keep them', async (t) => {
  t.strictSame(await chosen({ fallback: true, packageSyncs: 'keep' }), { syncs: 'kept', rows: [], asked: 0 });
});

void t.test('a machine that cannot is told, and every sync is made', async (t) => {
  t.strictSame(await chosen({ fallback: true, why: 'perl is not there' }), {
    syncs: 'kept',
    rows: finding('every sync is made: perl is not there'),
    asked: 1,
  });
});

void t.test('a boot loader lies where no fallback reaches: every sync is made', async (t) => {
  t.strictSame(await chosen({ fallback: true, writesBootLoader: true }), {
    syncs: 'kept',
    rows: finding('every sync is made: a boot loader is updated, which the fallback does not hold'),
    asked: 0,
  });
  for (const name of [
    'grub2-common',
    'grub-efi-amd64-signed',
    'shim-signed',
    'systemd-boot',
    'u-boot-rpi',
    'fwupd',
  ])
    t.ok(isBootLoader(name), name);
  for (const name of ['systemd', 'linux-image-amd64', 'libgrubby1', 'grubby', 'shimmer', 'apt'])
    t.notOk(isBootLoader(name), name);
});
