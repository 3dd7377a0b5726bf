import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { saveReport, type PeersReport, type PeersRow } from '../../bench/peers/report.js';
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

function report(rows: PeersRow[]): PeersReport {
  return { date: '2026-01-02', seed: 7, machine: ['2 cores'], rows };
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

void t.test('a later run renews its own rows and keeps the others', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'peers-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await saveReport(folder, report([row('ours', [1]), row('ours', [5], { disk: 'flushes' })]));
  await saveReport(folder, report([row('ours', [2])]));
  const { rows } = JSON.parse(await readFile(join(folder, 'peers.json'), 'utf8')) as PeersReport;
  t.strictSame(
    rows.map(({ disk, turns }) => [disk, turns.map(({ awaySeconds }) => awaySeconds)]),
    [
      ['flushes', [5]],
      ['fast', [2]],
    ],
  );
  t.strictSame((await readdir(folder)).sort(), ['peers.json', 'peers.md', 'peers.svg']);
});
