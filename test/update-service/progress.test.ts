import t from 'tap';
import type { Plymouth } from '../../src/host/plymouth.js';
import type { LiveStatus } from '../../src/update/live-status.js';
import { progressReporter } from '../../src/update-service/progress.js';

/** `spring`: what the clock does between two looks at it. */
function reported(spring = 1000) {
  const lines: string[] = [];
  const statuses: LiveStatus[] = [];
  const screen: number[] = [];
  const plymouth: Plymouth = {
    progress: (percent) => screen.push(percent),
    message: () => undefined,
    mode: () => undefined,
  };
  let milliseconds = Date.parse('2026-11-20T15:49:35Z');
  const reporter = progressReporter(
    '20261120T154935-3f2a',
    {
      plymouth,
      line: (text) => lines.push(text),
      status: (status) => {
        statuses.push(status);
        return Promise.resolve();
      },
    },
    () => new Date((milliseconds += spring)),
  );
  return { reporter, lines, statuses, screen };
}

void t.test(
  'the percentage never falls, reaches 100 only at the end, and is the same for every sink',
  async (t) => {
    const { reporter, lines, statuses, screen } = reported();
    reporter.phase('claimed', 'check');
    reporter.phase('installing', 'install');
    for (const percent of [0, 50, 20, 100, 400]) {
      reporter.on({ percent, item: 'openssl', text: `Unpacking openssl (${percent} of 100)` });
    }
    reporter.phase('installing', 'verify');
    await reporter.finish('installed', 'All updates are installed');
    const percents = statuses.map(({ percent }) => percent);
    t.strictSame(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    t.strictSame([percents.at(-2), percents.at(-1)], [95, 100]);
    t.strictSame(
      screen,
      [...screen].sort((a, b) => a - b),
    );
    t.strictSame(lines, [
      'Installing updates · 5 % · Unpacking openssl (0 of 100)',
      'Installing updates · 50 % · Unpacking openssl (50 of 100)',
      'Installing updates · 95 % · Unpacking openssl (100 of 100)',
      'All updates are installed',
    ]);
    t.match(statuses.at(-1), { state: 'installed', phase: 'done', package: null, stalled: false });
  },
);

void t.test('a stall is told at once, and is over with the next event', async (t) => {
  const { reporter, statuses } = reported();
  reporter.phase('installing', 'install');
  reporter.on({ percent: 10, item: 'lab', text: 'Configuring lab' });
  reporter.on({ percent: 10, item: 'lab', text: 'Stalled for 900 s', stalled: true });
  reporter.on({ percent: 11, item: 'lab', text: 'Installed lab' });
  await reporter.finish('failed', 'The update failed');
  t.strictSame(
    statuses.map(({ stalled }) => stalled),
    [false, false, true, false, false],
  );
});

void t.test('a clock that is set back does not keep the status as it was', async (t) => {
  const { reporter, statuses } = reported(-86_400_000);
  reporter.phase('installing', 'install');
  for (const percent of [10, 20]) reporter.on({ percent, text: 'Unpacking openssl' });
  await reporter.finish('installed', 'All updates are installed');
  t.strictSame(
    statuses.map(({ percent }) => percent),
    [5, 14, 23, 100],
  );
});

void t.test('the last words are one line, however much the log has of the reason', async (t) => {
  const { reporter, lines, statuses } = reported();
  await reporter.finish(
    'failed',
    'The update failed: apt-get failed\nThe last lines of the terminal log:\ndpkg: error',
  );
  t.strictSame(lines, ['The update failed: apt-get failed']);
  t.match(statuses.at(-1), { text: 'The update failed: apt-get failed' });
});
