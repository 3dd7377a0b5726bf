import t from 'tap';
import { turns } from '../../src/bus-service/turns.js';

void t.test('who asks while an answer is on its way shares the next one, however many ask', async (t) => {
  const { shared } = turns();
  const begun: ((answer: string) => void)[] = [];
  let told: () => void = () => undefined;
  const ask = shared(
    () =>
      new Promise<string>((resolve) => {
        begun.push(resolve);
        told();
      }),
  );
  const begins = (): Promise<void> => new Promise((resolve) => (told = resolve));
  const first = begins();
  const early = ask();
  await first;
  const second = begins();
  const late = [ask(), ask(), ask()];
  t.equal(begun.length, 1, 'not yet');
  begun[0]?.('old');
  t.equal(await early, 'old');
  await second;
  begun[1]?.('new');
  t.strictSame(await Promise.all(late), ['new', 'new', 'new']);
  t.equal(begun.length, 2);
});

void t.test('what goes wrong is told to those who asked, and the next turn comes', async (t) => {
  const { alone, shared } = turns();
  const order: string[] = [];
  const ask = shared(() => {
    order.push('asked');
    return Promise.reject(new Error('no'));
  });
  const answers = [ask(), ask()];
  const after = alone(() => Promise.resolve(order.push('alone')));
  for (const answer of answers) await t.rejects(answer, { message: 'no' });
  await after;
  t.strictSame(order, ['asked', 'alone']);
});
