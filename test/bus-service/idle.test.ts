import t from 'tap';
import { idleWatch } from '../../src/bus-service/idle.js';

void t.test('it is idle only once nothing is going on elsewhere either', async (t) => {
  const busy = [true, true, false];
  let looks = 0;
  const watch = idleWatch(0, () => {
    looks += 1;
    return Promise.resolve(busy.shift() ?? false);
  });
  await watch.idle;
  watch.end();
  t.equal(looks, 3);
});

void t.test('where it cannot be told whether something is going on, it ends', async () => {
  const watch = idleWatch(0, () => Promise.reject(new Error('no')));
  await watch.idle;
  watch.end();
});

void t.test('work that came in while it looked keeps it', async (t) => {
  let done: (() => void) | undefined;
  let looks = 0;
  const watch = idleWatch(0, () => {
    looks += 1;
    if (looks === 1) {
      done = watch.began();
      setImmediate(() => done?.());
    }
    return Promise.resolve(false);
  });
  await watch.idle;
  watch.end();
  t.equal(looks, 2);
});

void t.test('drained once the last work is done', async (t) => {
  const watch = idleWatch(3600, () => Promise.resolve(false));
  const ends = [watch.began(), watch.began()];
  let isDrained = false;
  const drained = watch.drained().then(() => (isDrained = true));
  ends[0]?.();
  await Promise.resolve();
  t.notOk(isDrained);
  ends[1]?.();
  await drained;
  watch.end();
});
