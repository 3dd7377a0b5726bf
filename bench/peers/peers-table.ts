/** The report as a Markdown page: the targets first, then a table for each disk. Medians. */
import { median } from '../statistics.js';
import { candidates } from './candidates.js';
import type { DiskName, FileSystemName } from './peer-disk.js';
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
  const keys = new Set(rows.map(({ fileSystem, disk }) => `${fileSystem} ${disk}`));
  return [...keys].sort().map((key) => {
    const [fileSystem, disk] = key.split(' ') as [FileSystemName, DiskName];
    return { fileSystem, disk };
  });
}

export function placeTitle({ fileSystem, disk }: Place): string {
  return `${fileSystem}, ${disk === 'fast' ? "this machine's fast disk" : 'real flushes (direct I/O)'}`;
}

function placeSection({ rows }: PeersReport, fileSystem: FileSystemName, disk: DiskName): string {
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
  return `## ${placeTitle({ fileSystem, disk })}\n\n${table(header, lines)}`;
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
