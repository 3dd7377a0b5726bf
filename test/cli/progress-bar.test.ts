import fc from 'fast-check';
import t from 'tap';
import { barLine, progressBar } from '../../src/cli/progress-bar.js';

const start = { percent: 0, text: 'downloading', bytesDone: 0, bytesTotal: 20_000_000 };
const half = {
  percent: 50,
  item: 'openssl',
  text: 'downloading',
  bytesDone: 10_000_000,
  bytesTotal: 20_000_000,
};

void t.test('the bar has percent, bytes, rate, time left and item', (t) => {
  t.equal(
    barLine(half, start, 2, 100),
    ' 50 % [###############...............]  10.0 MB of 20.0 MB  5.0 MB/s  0:02 left  openssl',
  );
  t.end();
});

void t.test('what does not fit is left away, the item first', (t) => {
  t.equal(
    barLine(half, start, 2, 72),
    ' 50 % [###########..........]  10.0 MB of 20.0 MB  5.0 MB/s  0:02 left',
  );
  t.equal(barLine(half, start, 2, 40), ' 50 % [#####.....]  10.0 MB of 20.0 MB');
  t.end();
});

void t.test('what an earlier run had downloaded says nothing about the rate', (t) => {
  const resumed = { ...start, percent: 40, bytesDone: 8_000_000 };
  t.match(barLine(half, resumed, 2, 100), '1.0 MB/s  0:10 left');
  t.end();
});

void t.test('without bytes there is no rate', (t) => {
  t.equal(
    barLine({ percent: 7, text: 'reading' }, { percent: 0, text: '' }, 9, 60),
    '  7 % [#................]  reading',
  );
  t.end();
});

void t.test('whatever comes, the bar is one line that fits', (t) => {
  fc.assert(
    fc.property(
      fc.record({
        percent: fc.integer({ min: 0, max: 100 }),
        text: fc.string({ maxLength: 60 }),
        bytesDone: fc.nat({ max: 2 ** 40 }),
        bytesTotal: fc.nat({ max: 2 ** 40 }),
      }),
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.integer({ min: 19, max: 300 }),
      (event, seconds, columns) => barLine(event, start, seconds, columns).length <= columns,
    ),
  );
  t.end();
});

void t.test('a terminal is drawn on at most ten times a second, and always at the end', (t) => {
  let now = 0;
  let written = '';
  const bar = progressBar({ isTTY: true, columns: 60, write: (text) => (written += text) }, () => now);
  for (let percent = 0; percent <= 90; percent += 10) {
    bar.on({ percent, text: 'downloading' });
    now += 30;
  }
  bar.end();
  bar.end();
  const drawn = written.split('\r').slice(1);
  t.strictSame(
    drawn.map((line) => line.slice(0, 5)),
    ['  0 %', ' 40 %', ' 80 %', ' 90 %'],
  );
  t.ok(drawn.every((line) => line.replace('\n', '').endsWith('\u001b[K')));
  t.ok(written.endsWith('\n') && !written.slice(0, -1).includes('\n'));
  t.end();
});

void t.test('elsewhere there is one plain line for each ten percent', (t) => {
  let written = '';
  const bar = progressBar({ write: (text) => (written += text) }, () => 0);
  for (let percent = 0; percent <= 100; percent += 1) {
    bar.on({ percent, text: 'downloading', bytesDone: percent * 1000, bytesTotal: 100_000 });
    bar.on({ percent, text: 'downloading', bytesDone: percent * 1000, bytesTotal: 100_000 });
  }
  bar.end();
  const lines = written.trimEnd().split('\n');
  t.equal(lines.length, 11);
  t.strictSame(lines.slice(0, 2), [
    '0 %  0 B of 100 kB  downloading',
    '10 %  10.0 kB of 100 kB  downloading',
  ]);
  t.end();
});

void t.test('nothing begun leaves no line', (t) => {
  let written = '';
  progressBar({ isTTY: true, write: (text) => (written += text) }, () => 0).end();
  t.equal(written, '');
  t.end();
});
