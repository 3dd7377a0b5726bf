/** What all turns gave: kept as JSON, so that a later run can add a disk or a size, and shown as Markdown and as a chart. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import { peersChart } from './peers-chart.js';
import { peersPage } from './peers-table.js';
import type { FlushCost } from './flush-cost.js';
import type { DiskName, FileSystemName } from './peer-disk.js';
import type { Turn } from './turn.js';

export interface PeersRow {
  fileSystem: FileSystemName;
  disk: DiskName;
  /** Of `scenarios`. */
  size: string;
  /** How many packages that are. */
  packages: number;
  /** Of `candidates`. */
  candidate: string;
  turns: Turn[];
  /** Bytes, of a turn of its own; null: not looked at. */
  memoryMegabytes: number | null;
  /** Why a turn gave no figure. */
  failures: string[];
}

export interface DiskFacts extends FlushCost {
  fileSystem: FileSystemName;
  disk: DiskName;
}

/** All who took turns with one size on one disk, in one run; only these may be compared. */
export interface GroupFacts extends DiskFacts {
  size: string;
  date: string;
  /** Of the order in which they took turns. */
  seed: number;
  /** Before the first turn. */
  load: number;
  machine: string[];
}

export interface PeersReport {
  groups: GroupFacts[];
  rows: PeersRow[];
  /** What this run could not measure, and why. */
  missing: string[];
}

/** A run takes the place of all that an earlier one has told of the same disk and size, whoever took part in it. */
export async function saveReport(folder: string, report: PeersReport): Promise<void> {
  const file = join(folder, 'peers.json');
  const earlier = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Partial<PeersReport>,
    () => undefined,
  );
  const whole = {
    ...report,
    groups: renewed(earlier?.groups ?? [], report.groups),
    rows: renewed(earlier?.rows ?? [], report.rows),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(file, await format(JSON.stringify(whole), { parser: 'json', printWidth: 110 }));
  const page = peersPage(whole);
  await writeFile(join(folder, 'peers.md'), await format(page, { parser: 'markdown', printWidth: 110 }));
  await writeFile(join(folder, 'peers.svg'), peersChart(whole.rows));
}

export type Group = Pick<PeersRow, 'fileSystem' | 'disk' | 'size'>;

function renewed<T extends Group>(earlier: readonly T[], now: readonly T[]): T[] {
  const keyOf = ({ fileSystem, disk, size }: Group): string => [fileSystem, disk, size].join();
  const keys = new Set(now.map(keyOf));
  return [...earlier.filter((each) => !keys.has(keyOf(each))), ...now];
}
