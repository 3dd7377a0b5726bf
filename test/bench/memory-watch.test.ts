import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { peakDuring } from '../../bench/peers/memory-watch.js';

/** Tells 1, 3, 2, and then 2 again and again. */
function watched(): {
  look: () => Promise<number>;
  looks: () => number;
  looked: (times: number) => Promise<void>;
} {
  const held = [1, 3, 2];
  let looks = 0;
  return {
    look: () => Promise.resolve(held[Math.min(looks++, held.length - 1)] ?? NaN),
    looks: () => looks,
    async looked(times) {
      while (looks < times) await pause(1);
    },
  };
}

void t.test('the most that was told while the work went on is told with what it gave', async (t) => {
  const { look, looked } = watched();
  const work = async (): Promise<string> => {
    await looked(4);
    return 'done';
  };
  t.strictSame(await peakDuring(look, work), { peak: 3, result: 'done' });
});

void t.test('nobody looks any more when the work has failed', async (t) => {
  const { look, looks, looked } = watched();
  const work = async (): Promise<never> => {
    await looked(2);
    throw new Error('the machine did not come back');
  };
  await t.rejects(peakDuring(look, work), { message: 'the machine did not come back' });
  const before = looks();
  await pause(100);
  t.equal(looks(), before);
});
