/** The report as a Markdown page: the targets first, then a table for each disk. Medians. */
import { median } from '../statistics.js';
import { candidates } from './candidates.js';
import { diskNames, type DiskName, type FileSystemName } from './peer-disk.js';
import type { GroupFacts, PeersReport, PeersRow } from './report.js';
import { titleOf } from './scenarios.js';
import { targetRows } from './targets.js';
import type { Turn } from './turn.js';

export function peersPage(report: PeersReport): string {
  const dates = report.groups.map(({ date }) => date).sort();
  return [
    `# Ours and the others, ${dates.at(-1) ?? 'of a day that was not noted'}`,
    `\`npm run bench -- peers\`: all who take part on the same image, with the same packages, in turns; the order of each round
is drawn from a seed. Medians, in brackets the least. What is counted stands in [speed.md](../../speed.md).`,
    ...(report.missing.length > 0 ? [list(report.missing)] : []),
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

function placeSection(report: PeersReport, fileSystem: FileSystemName, disk: DiskName): string {
  const { rows } = report;
  const place = { fileSystem, disk };
  const here = rows.filter((row) => isSamePlace(row, place));
  const sizes = [...new Set(here.map(({ size }) => size))];
  const lines = sizes.flatMap((size) => {
    const group = here.filter((row) => row.size === size);
    const ours = group.find(({ candidate }) => candidate === 'ours');
    return candidates.flatMap(({ name, title }) => {
      const row = group.find(({ candidate }) => candidate === name);
      return row ? [lineOf(row, title, ours)] : [];
    });
  });
  const groups = sizes.map((size) =>
    report.groups.find((each) => isSamePlace(each, place) && each.size === size),
  );
  return [`## ${placeTitle(place)}`, table(header, lines), list(runLines(sizes, groups))].join('\n\n');
}

const isSamePlace = (a: Place, b: Place): boolean => a.fileSystem === b.fileSystem && a.disk === b.disk;

/** Of which run each size is, and what a flush cost then; the machine once for all that share it. */
function runLines(sizes: readonly string[], groups: readonly (GroupFacts | undefined)[]): string[] {
  const runs = sizes.map((size, index) => `${titleOf(size)}: ${runText(groups[index])}`);
  const machines = new Map<string, string[]>();
  for (const each of groups) {
    const machine = each?.machine.join('; ') ?? '';
    if (each) machines.set(machine, [...(machines.get(machine) ?? []), titleOf(each.size)]);
  }
  const isOne = machines.size === 1;
  return [
    ...runs,
    ...[...machines].map(([machine, titles]) => (isOne ? machine : `${titles.join(', ')}: ${machine}`)),
  ];
}

function runText(facts: GroupFacts | undefined): string {
  if (!facts) return 'of a run that noted neither its day nor what a flush cost';
  const { date, seed, load, flushMilliseconds: flush, fsyncMilliseconds: fsync } = facts;
  return `${date}, seed ${seed}, load ${load.toFixed(1)} at the start; a flush with nothing to write took ${flush.toFixed(2)} ms, fsync of a file of 4 KiB that was rewritten ${fsync.toFixed(2)} ms`;
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
    rounded(row.turns.map(({ flushes }) => flushes)),
    rounded(row.turns.map(({ megabytesWritten }) => megabytesWritten)),
    row.memoryMegabytes === null ? '' : `${row.memoryMegabytes.toFixed(0)} MB`,
    String(row.turns.length),
  ];
}

/** These three: an empty cell where no turn gave a figure. */
function rounded(values: readonly number[]): string {
  return values.length === 0 ? '' : median(values).toFixed(0);
}

function seconds(values: readonly number[]): string {
  if (values.length === 0) return '';
  if (median(values) === 0) return '–';
  return `${median(values).toFixed(2)} s (${Math.min(...values).toFixed(2)})`;
}

function ratio(ours: readonly number[] | undefined, theirs: readonly number[]): string {
  if (!ours?.length || theirs.length === 0 || median(theirs) === 0) return '';
  return (median(ours) / median(theirs)).toFixed(2);
}

function failures(rows: readonly PeersRow[]): string[] {
  const lines = rows.flatMap((row) =>
    row.failures.map((why) => `- ${placeTitle(row)}, ${titleOf(row.size)}, ${row.candidate}: ${why}`),
  );
  return lines.length === 0 ? [] : [`## Turns without a figure\n\n${lines.join('\n')}`];
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
