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

export interface PeersReport {
  date: string;
  /** Of the order in which they took turns. */
  seed: number;
  machine: string[];
  disks: DiskFacts[];
  rows: PeersRow[];
}

/** Rows of the same place and size, and disks, take the place of those of an earlier run. */
export async function saveReport(folder: string, report: PeersReport): Promise<void> {
  const file = join(folder, 'peers.json');
  const earlier = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Partial<PeersReport>,
    () => undefined,
  );
  const whole = {
    ...report,
    disks: renewed(earlier?.disks ?? [], report.disks, ({ fileSystem, disk }) => `${fileSystem} ${disk}`),
    rows: renewed(earlier?.rows ?? [], report.rows, keyOf),
  };
  await mkdir(folder, { recursive: true });
  await writeFile(file, await format(JSON.stringify(whole), { parser: 'json', printWidth: 110 }));
  const page = peersPage(whole);
  await writeFile(join(folder, 'peers.md'), await format(page, { parser: 'markdown', printWidth: 110 }));
  await writeFile(join(folder, 'peers.svg'), peersChart(whole.rows));
}

function keyOf({ fileSystem, disk, size, candidate }: PeersRow): string {
  return [fileSystem, disk, size, candidate].join();
}

function renewed<T>(earlier: readonly T[], now: readonly T[], key: (each: T) => string): T[] {
  const keys = new Set(now.map(key));
  return [...earlier.filter((each) => !keys.has(key(each))), ...now];
}
