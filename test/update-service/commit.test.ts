import t from 'tap';
import type { UpdateEvent } from '../../src/update/events.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { commit } from '../../src/update-service/commit.js';

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
