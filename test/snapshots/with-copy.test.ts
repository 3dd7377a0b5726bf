import t from 'tap';
import { withCopy } from '../../src/snapshots/with-copy.js';
import { fakeSnapshots } from '../fixtures/fake-snapshots.js';

/** A machine with these providers, and what they were asked, in order. */
function machine(snapshotsUsable: boolean) {
  const asked: string[] = [];
  const provider = (name: string, usable: boolean) => ({
    ...fakeSnapshots(),
    name,
    probe() {
      asked.push(`probe ${name}`);
      return Promise.resolve({ usable, reason: name });
    },
    armFallback() {
      asked.push(`arm ${name}`);
      return Promise.resolve({ provider: name, reference: name });
    },
  });
  return { asked, both: withCopy(provider('btrfs', snapshotsUsable), provider('copy', true)) };
}

void t.test('who arms what was just probed asks nothing twice', async (t) => {
  for (const [usable, expected] of [
    [true, ['probe btrfs', 'arm btrfs']],
    [false, ['probe btrfs', 'probe copy', 'arm copy']],
  ] as const) {
    const { both, asked } = machine(usable);
    await both.probe();
    await both.armFallback('id');
    t.strictSame(asked, expected);
  }
});

void t.test('the answer serves once: another arming looks again', async (t) => {
  const { both, asked } = machine(true);
  await both.probe();
  await both.armFallback('one');
  await both.armFallback('two');
  t.strictSame(asked, ['probe btrfs', 'arm btrfs', 'probe btrfs', 'arm btrfs']);
});
