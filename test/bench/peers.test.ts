import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { saveReport, type DiskFacts, type PeersReport, type PeersRow } from '../../bench/peers/report.js';
import { peersChart } from '../../bench/peers/peers-chart.js';
import type { DiskName } from '../../bench/peers/peer-disk.js';
import { peersPage } from '../../bench/peers/peers-table.js';
import { targetRows } from '../../bench/peers/targets.js';
import { shuffled } from '../../bench/peers/turn-order.js';
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

function report(rows: PeersRow[], disks: DiskFacts[] = []): PeersReport {
  return { date: '2026-01-02', seed: 7, machine: ['2 cores'], disks, rows };
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
  t.match(page, "- btrfs, this machine's fast disk, 100 small packages, packagekit: offline");
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

void t.test('page and chart have a part for each disk, and the page tells what a flush costs on it', (t) => {
  const rows = (['slow-flushes', 'flushes', 'fast'] as const).map((disk) => row('ours', [2], { disk }));
  const slow = { flushMilliseconds: 2.104, fsyncMilliseconds: 4.3 };
  const page = peersPage(report(rows, [{ fileSystem: 'btrfs', disk: 'slow-flushes', ...slow }]));
  t.strictSame(page.match(/^## btrfs.*\n\n.*$/gm), [
    "## btrfs, this machine's fast disk\n\nWhat a flush costs here was not measured.",
    '## btrfs, each flush to the disk itself (direct I/O)\n\nWhat a flush costs here was not measured.',
    '## btrfs, the same with slow flushes\n\nA flush with nothing to write takes 2.10 ms here, fsync of a file of 4 KiB that was rewritten 4.30 ms.',
  ]);
  t.equal(peersChart(rows).match(/>btrfs, /g)?.length, 3);
  t.end();
});

void t.test('a later run renews its own rows and keeps the others', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peers-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const facts = (disk: DiskName, flushMilliseconds: number): DiskFacts => ({
    fileSystem: 'btrfs',
    disk,
    flushMilliseconds,
    fsyncMilliseconds: 1,
  });
  const first = [row('ours', [1]), row('ours', [5], { disk: 'flushes' })];
  await saveReport(folder, report(first, [facts('fast', 1), facts('flushes', 2)]));
  await saveReport(folder, report([row('ours', [2])], [facts('fast', 3)]));
  const { rows, disks } = JSON.parse(await readFile(join(folder, 'peers.json'), 'utf8')) as PeersReport;
  t.strictSame(
    rows.map(({ disk, turns }) => [disk, turns.map(({ awaySeconds }) => awaySeconds)]),
    [
      ['flushes', [5]],
      ['fast', [2]],
    ],
  );
  t.strictSame(disks, [facts('flushes', 2), facts('fast', 3)]);
  t.strictSame((await readdir(folder)).sort(), ['peers.json', 'peers.md', 'peers.svg']);
});
