import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { saveReport, type GroupFacts, type PeersReport, type PeersRow } from '../../bench/peers/report.js';
import { peersChart } from '../../bench/peers/peers-chart.js';
import { peersPage } from '../../bench/peers/peers-table.js';
import { mostAway, targetRows } from '../../bench/peers/targets.js';
import { shuffled } from '../../bench/turn-order.js';
import { randomNumbers } from '../fixtures/random-numbers.js';

function row(candidate: string, away: readonly number[], more: Partial<PeersRow> = {}): PeersRow {
  return {
    fileSystem: 'btrfs',
    disk: 'fast',
    size: '100',
    packages: 100,
    candidate,
    turns: away.map((awaySeconds) => ({
      awaySeconds,
      gapSeconds: candidate === 'ours' ? 0 : 1,
      installSeconds: awaySeconds / 2,
      flushes: 10,
      megabytesWritten: 20,
    })),
    memoryMegabytes: null,
    failures: [],
    ...more,
  };
}

/** Each disk and size of the rows has the same facts. */
function report(rows: PeersRow[], more: Partial<GroupFacts> = {}): PeersReport {
  const groups = rows.map(({ fileSystem, disk, size }): GroupFacts => ({
    ...{ fileSystem, disk, size, date: '2026-01-02', seed: 7, load: 0.25, machine: ['2 cores'] },
    ...{ flushMilliseconds: 2.104, fsyncMilliseconds: 4.3 },
    ...more,
  }));
  return { groups, rows, missing: [] };
}

void t.test('the order of turns is the same for the same seed, and everybody has one', (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const orderOf = (seed: number): string[] => shuffled(names, randomNumbers(seed));
  t.strictSame(orderOf(1), orderOf(1));
  t.strictSame([...orderOf(1)].sort(), names);
  const orders = new Set(Array.from({ length: 20 }, (_, seed) => orderOf(seed).join('')));
  t.ok(orders.size > 10, `${orders.size} orders of 20 seeds`);
  t.end();
});

void t.test('a target is a ratio of medians, told with and without the gaps between containers', (t) => {
  const rows = [row('ours', [2, 3, 10]), row('bare', [6, 5, 5])];
  t.strictSame(targetRows(rows), [
    ['away, 100 small packages, against bare', 'btrfs, fast', '≤ 0.6', '0.60', '0.75', 'yes'],
    ['installing, 100 small packages, against bare', 'btrfs, fast', '≤ 0.5', '0.60', '', '**no**'],
  ]);
  t.strictSame(targetRows([row('bare', [1])]), [], 'nothing of ours, nothing to tell');
  t.end();
});

void t.test('what was promised for the time away is told by size and by whom it is held against', (t) => {
  t.strictSame(
    [
      mostAway('100', 'bare'),
      mostAway('100', 'packagekit'),
      mostAway('1', 'bare'),
      mostAway('1', 'packagekit'),
    ],
    [0.6, 0.55, 1, 1],
  );
  t.equal(mostAway('10', 'bare'), undefined);
  t.end();
});

void t.test('the page has a line for each who took part, with the ratio of ours to it', (t) => {
  const rows = [
    row('ours', [2]),
    row('bare', [4]),
    row('online', [0]),
    row('packagekit', [], { failures: ['offline'] }),
  ];
  const page = peersPage(report(rows));
  t.match(
    page,
    '| 100 small packages | offline-update, `--action auto` | 2.00 s (2.00) |  | 2.00 s (2.00) |',
  );
  t.match(
    page,
    '| 100 small packages | bare `apt-get` in a shell service | 4.00 s (4.00) | 0.50 | 3.00 s (3.00) | 0.67 |',
  );
  t.match(page, '| `apt-get upgrade` in the running system | – |  |');
  t.match(
    page,
    "| 100 small packages | PackageKit's offline update |  |  |  |  |  |  |  |  |  | 0 |",
    'no turn, no figure',
  );
  t.match(page, "- btrfs, this machine's fast disk, 100 small packages, packagekit: offline");
  t.end();
});

void t.test('a side whose turns all failed has no figure, and nobody a ratio to it', (t) => {
  const rows = [row('ours', [], { failures: ['it ended with poweroff'] }), row('bare', [4])];
  t.match(
    peersPage(report(rows)),
    '| 100 small packages | bare `apt-get` in a shell service | 4.00 s (4.00) |  | 3.00 s (3.00) |  | 2.00 s (2.00) |  | 10 | 20 |  | 1 |',
  );
  t.notMatch(peersPage(report(rows)), /NaN|Infinity/);
  t.notMatch(peersPage(report([row('ours', [2]), row('bare', [])])), /NaN|Infinity/);
  t.notMatch(peersChart(rows), /NaN|Infinity/);
  t.end();
});

void t.test(
  'what is promised for a disk with real flushes is held against the one with slow flushes',
  (t) => {
    const on = (disk: 'flushes' | 'slow-flushes'): string[][] =>
      targetRows([row('ours', [3], { disk }), row('bare', [10], { disk }), row('packagekit', [9], { disk })]);
    t.strictSame(on('flushes'), []);
    t.strictSame(on('slow-flushes'), [
      ['away, 100 small packages, against bare', 'btrfs, slow-flushes', '≤ 0.3', '0.30', '0.33', 'yes'],
      [
        'away, 100 small packages, against packagekit',
        'btrfs, slow-flushes',
        '≤ 0.3',
        '0.33',
        '0.38',
        '**no**',
      ],
    ]);
    t.end();
  },
);

void t.test(
  'page and chart have a part for each disk, and under its table stands of which run it is',
  (t) => {
    const rows = (['slow-flushes', 'flushes', 'fast'] as const).map((disk) => row('ours', [2], { disk }));
    const { groups } = report([...rows.slice(0, 2), row('ours', [2], { size: '1', disk: 'flushes' })]);
    const [one, ...others] = groups;
    const later = others.map((each): GroupFacts => ({
      ...each,
      seed: 8,
      date: '2026-01-03',
      machine: ['4 cores'],
    }));
    const page = peersPage({
      groups: [...(one ? [one] : []), ...others.slice(0, 1), ...later.slice(1)],
      rows: [...rows, row('ours', [2], { size: '1', disk: 'flushes' })],
      missing: ['not measured: ext4, fast: no room'],
    });
    t.match(page, /^# Ours and the others, 2026-01-03\n/);
    t.match(page, '\n- not measured: ext4, fast: no room\n');
    const flush =
      'a flush with nothing to write took 2.10 ms, fsync of a file of 4 KiB that was rewritten 4.30 ms';
    t.strictSame(
      page
        .split('\n## ')
        .filter((part) => part.startsWith('btrfs'))
        .map((part) => part.split('\n').filter((line) => /^btrfs|^- /.test(line))),
      [
        [
          "btrfs, this machine's fast disk",
          '- 100 small packages: of a run that noted neither its day nor what a flush cost',
        ],
        [
          'btrfs, each flush to the disk itself (direct I/O)',
          `- 100 small packages: 2026-01-02, seed 7, load 0.3 at the start; ${flush}`,
          `- 1 small package: 2026-01-03, seed 8, load 0.3 at the start; ${flush}`,
          '- 100 small packages: 2 cores',
          '- 1 small package: 4 cores',
        ],
        [
          'btrfs, the same with slow flushes',
          `- 100 small packages: 2026-01-02, seed 7, load 0.3 at the start; ${flush}`,
          '- 2 cores',
        ],
      ],
    );
    t.equal(peersChart(rows).match(/>btrfs, /g)?.length, 3);
    t.end();
  },
);

void t.test(
  'a later run takes the place of all of its disk and size, whoever took part, and keeps the others',
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'peers-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const first = [
      row('ours', [1]),
      row('bare', [2]),
      row('ours', [5], { disk: 'flushes' }),
      row('bare', [6], { size: '1' }),
    ];
    await saveReport(folder, report(first));
    await saveReport(folder, report([row('ours', [2])], { seed: 8 }));
    const { rows, groups } = JSON.parse(await readFile(join(folder, 'peers.json'), 'utf8')) as PeersReport;
    t.strictSame(
      rows.map(({ disk, size, candidate, turns }) => [
        disk,
        size,
        candidate,
        turns.map((turn) => turn.awaySeconds),
      ]),
      [
        ['flushes', '100', 'ours', [5]],
        ['fast', '1', 'bare', [6]],
        ['fast', '100', 'ours', [2]],
      ],
      'no ratio of ours to what bare was in another run',
    );
    t.strictSame(
      groups.map(({ disk, size, seed }) => [disk, size, seed]),
      [
        ['flushes', '100', 7],
        ['fast', '1', 7],
        ['fast', '100', 8],
      ],
    );
    t.strictSame((await readdir(folder)).sort(), ['peers.json', 'peers.md', 'peers.svg']);
  },
);
