/** The report as a Markdown page: the targets first, then a table for each disk. Medians. */
import { median } from '../statistics.js';
import { candidates } from './candidates.js';
import { diskNames, type DiskName, type FileSystemName } from './peer-disk.js';
import type { PeersReport, PeersRow } from './report.js';
import { titleOf } from './scenarios.js';
import { targetRows } from './targets.js';
import type { Turn } from './turn.js';

export function peersPage(report: PeersReport): string {
  return [
    `# Ours and the others, ${report.date}`,
    `\`npm run bench -- peers\`: all who take part on the same image, with the same packages, in turns; the order of each round
is drawn from seed ${report.seed}. Medians, in brackets the least. What is counted stands in [speed.md](../../speed.md).`,
    report.machine.map((fact) => `- ${fact}`).join('\n'),
    '![seconds away](peers.svg)',
    `## Targets\n\n${table(targetHeader, targetRows(report.rows))}`,
    ...placesIn(report.rows).map(({ fileSystem, disk }) => placeSection(report, fileSystem, disk)),
    ...failures(report.rows),
    '',
  ].join('\n\n');
}

const targetHeader = ['what', 'where', 'target', 'ratio', 'without the gaps', 'reached'];

const header = [
  'packages',
  'who',
  'away',
  'ours : it',
  'away without the gaps',
  'ours : it',
  'installing',
  'ours : it',
  'flushes',
  'MB written',
  'peak memory',
  'turns',
];

export interface Place {
  fileSystem: FileSystemName;
  disk: DiskName;
}

export function placesIn(rows: readonly PeersRow[]): Place[] {
  const all = (['btrfs', 'ext4'] as const).flatMap((fileSystem) =>
    diskNames.map((disk) => ({ fileSystem, disk })),
  );
  return all.filter((place) =>
    rows.some(({ fileSystem, disk }) => fileSystem === place.fileSystem && disk === place.disk),
  );
}

const diskTitles: Readonly<Record<DiskName, string>> = {
  fast: "this machine's fast disk",
  flushes: 'each flush to the disk itself (direct I/O)',
  'slow-flushes': 'the same with slow flushes',
};

export function placeTitle({ fileSystem, disk }: Place): string {
  return `${fileSystem}, ${diskTitles[disk]}`;
}

/** What a flush was measured to cost there. */
function costOf({ disks }: PeersReport, place: Place): string {
  const facts = disks.find(({ fileSystem, disk }) => fileSystem === place.fileSystem && disk === place.disk);
  if (!facts) return 'What a flush costs here was not measured.';
  const { flushMilliseconds: flush, fsyncMilliseconds: fsync } = facts;
  return `A flush with nothing to write takes ${flush.toFixed(2)} ms here, fsync of a file of 4 KiB that was rewritten ${fsync.toFixed(2)} ms.`;
}

function placeSection(report: PeersReport, fileSystem: FileSystemName, disk: DiskName): string {
  const { rows } = report;
  const place = { fileSystem, disk };
  const here = rows.filter((row) => row.fileSystem === fileSystem && row.disk === disk);
  const sizes = [...new Set(here.map(({ size }) => size))];
  const lines = sizes.flatMap((size) => {
    const group = here.filter((row) => row.size === size);
    const ours = group.find(({ candidate }) => candidate === 'ours');
    return candidates.flatMap(({ name, title }) => {
      const row = group.find(({ candidate }) => candidate === name);
      return row ? [lineOf(row, title, ours)] : [];
    });
  });
  return `## ${placeTitle(place)}\n\n${costOf(report, place)}\n\n${table(header, lines)}`;
}

function lineOf(row: PeersRow, title: string, ours: PeersRow | undefined): string[] {
  const compared = (valueOf: (turn: Turn) => number): string[] => [
    seconds(row.turns.map(valueOf)),
    row === ours ? '' : ratio(ours?.turns.map(valueOf), row.turns.map(valueOf)),
  ];
  return [
    row.size === 'debian' ? `${row.packages} of ${titleOf(row.size)}` : titleOf(row.size),
    title,
    ...compared(({ awaySeconds }) => awaySeconds),
    ...compared(({ awaySeconds, gapSeconds }) => awaySeconds - gapSeconds),
    ...compared(({ installSeconds }) => installSeconds),
    String(Math.round(median(row.turns.map(({ flushes }) => flushes)))),
    median(row.turns.map(({ megabytesWritten }) => megabytesWritten)).toFixed(0),
    row.memoryMegabytes === null ? '' : `${row.memoryMegabytes.toFixed(0)} MB`,
    String(row.turns.length),
  ];
}

function seconds(values: readonly number[]): string {
  if (median(values) === 0) return '–';
  return `${median(values).toFixed(2)} s (${Math.min(...values).toFixed(2)})`;
}

function ratio(ours: readonly number[] | undefined, theirs: readonly number[]): string {
  if (!ours || median(theirs) === 0) return '';
  return (median(ours) / median(theirs)).toFixed(2);
}

function failures(rows: readonly PeersRow[]): string[] {
  const lines = rows.flatMap((row) =>
    row.failures.map((why) => `- ${placeTitle(row)}, ${titleOf(row.size)}, ${row.candidate}: ${why}`),
  );
  return lines.length === 0 ? [] : [`## Turns without a figure\n\n${lines.join('\n')}`];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
