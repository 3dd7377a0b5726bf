import t from 'tap';
import { jobs, type JobEnd, type Jobs } from '../../src/bus-service/jobs.js';

const nothing = (): Promise<void> => Promise.resolve();

function told(): { work: Jobs; ends: JobEnd[] } {
  const ends: JobEnd[] = [];
  const work = jobs({
    onBegin: () => undefined,
    onEnd: (_, end) => {
      ends.push(end);
      return Promise.resolve();
    },
  });
  return { work, ends };
}

void t.test('once closed no job begins, and the one under way is finished', async (t) => {
  const { work, ends } = told();
  let goOn: (result: object) => void = () => undefined;
  const held = new Promise<object>((resolve) => (goOn = resolve));
  await work.begin('prepare', nothing, () => held);
  work.close();
  await t.rejects(
    work.begin('prepare', nothing, () => held),
    {
      code: 'BUSY',
      message: 'the service is just ending',
      hint: 'ask again',
    },
  );
  goOn({ id: 'one' });
  await work.settled();
  t.strictSame(ends, [{ result: { id: 'one' } }]);
  t.equal(work.current(), undefined);
});

void t.test('an end that cannot be told is an end: the next job begins', async (t) => {
  const work = jobs({ onBegin: () => undefined, onEnd: () => Promise.reject(new Error('no')) });
  const fail = (): Promise<object> => {
    throw new Error('before there was a promise');
  };
  t.equal(await work.begin('prepare', nothing, () => Promise.resolve({})), 1);
  await work.settled();
  t.equal(await work.begin('trigger', nothing, fail), 2);
  await work.settled();
  t.equal(work.current(), undefined);
});
