import t from 'tap';
import { barChart } from '../../bench/bar-chart.js';

const chart = (values: readonly number[]): string =>
  barChart({
    title: 'Seconds <away> & back',
    unit: 's',
    series: [
      { name: 'ours', colour: 'green' },
      { name: 'theirs', colour: 'grey' },
    ],
    panels: [
      {
        title: 'btrfs',
        groups: [
          {
            label: '1 package',
            bars: values.map((value, index) => ({ series: index === 0 ? 'ours' : 'theirs', value })),
          },
        ],
      },
    ],
  });

void t.test('the longest bar fills the width, the others are as long as their share of it', (t) => {
  const svg = chart([1, 4]);
  const bars = [...svg.matchAll(/<rect x="170" y="\d+" width="([\d.]+)" height="13" fill="(\w+)"/g)];
  t.strictSame(
    bars.map(([, width, colour]) => [Number(width), colour]),
    [
      [157.5, 'green'],
      [630, 'grey'],
    ],
  );
  t.match(svg, />1\.00 s</);
  t.match(svg, />4\.00 s</);
  t.end();
});

void t.test('what has no figure has no bar and says so', (t) => {
  const svg = chart([NaN, 2]);
  t.match(svg, /width="0" height="13" fill="green"/);
  t.match(svg, />no figure</);
  t.notMatch(svg, /NaN/);
  t.match(chart([NaN, NaN]), /width="0" height="13" fill="grey"/);
  t.end();
});

void t.test('words are escaped, and the page is as high as what stands on it', (t) => {
  const svg = chart([1, 2]);
  t.match(svg, '>Seconds &lt;away&gt; &amp; back<');
  const height = Number(/viewBox="0 0 880 (\d+)"/.exec(svg)?.[1]);
  const lowest = Math.max(
    ...[...svg.matchAll(/<(?:text|rect) x="[\d.]+" y="(\d+)"/g)].map(([, y]) => Number(y)),
  );
  t.ok(lowest < height, `${lowest} is within ${height}`);
  t.end();
});
