/**
 * What an update does to the disks and to what runs, out of the files that its rehearsal wrote, compared with the same
 * files of the running system.
 */
import type { FileSystem } from '../../host/file-system.js';
import { ifThere } from '../../host/if-there.js';
import type { Performance, Rehearsal, WrittenFile } from '../../update/rehearsal.js';

export interface FootprintFacts {
  fs: Pick<FileSystem, 'lstat'>;
  freeBytes(path: string): Promise<number>;
  servicesUsing(files: ReadonlySet<string>): Promise<string[]>;
  /** The old files stay on the disk, in a fallback. */
  keepsOldFiles: boolean;
}

export interface Footprint extends Pick<Rehearsal, 'fileSystems' | 'bootFiles' | 'units' | 'services'> {
  /** Where it would not fit; undefined when it does. */
  lacking: string | undefined;
}

const BLOCK_BYTES = 4096;
const MEBIBYTE = 1024 * 1024;
const unitFile = /\/systemd\/system\/([^/]+\.(?:service|socket|timer|target|mount|path|slice))$/;

export async function footprint(written: Performance['written'], facts: FootprintFacts): Promise<Footprint> {
  const fileSystems: Footprint['fileSystems'] = [];
  const all: WrittenFile[] = [];
  const lacking: string[] = [];
  for (const { path, how, files } of written) {
    const old = await Promise.all(files.map((file) => bytesNow(facts.fs, file.path)));
    const touched = files.flatMap((file, index) => {
      const before = old[index];
      // of a file system that was copied, what has its old size was not written
      return how === 'copy' && before === file.bytes ? [] : [{ ...file, before }];
    });
    if (touched.length === 0) continue;
    const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
    const writtenBytes = sum(touched.map(({ bytes }) => bytes));
    const growthBytes = writtenBytes - sum(touched.map(({ before }) => before ?? 0));
    const freeBytes = await facts.freeBytes(path);
    const removedFiles = touched.filter(({ removed }) => removed).length;
    const changedFiles = touched.length - removedFiles;
    fileSystems.push({ path, writtenBytes, growthBytes, freeBytes, changedFiles, removedFiles });
    all.push(...touched);
    // An old file stays until the new one beside it is whole.
    const largestOld = touched.reduce((most, { before }) => Math.max(most, before ?? 0), 0);
    const needed = facts.keepsOldFiles ? writtenBytes : growthBytes + largestOld;
    if (needed > freeBytes)
      lacking.push(`${path} has ${mebibytes(freeBytes)} free, the update needs ${mebibytes(needed)}`);
  }
  const names = all.map(({ path }) => path);
  return {
    fileSystems,
    bootFiles: all
      .filter(({ path, removed }) => path.startsWith('/boot/') && !removed)
      .map(({ path }) => path),
    units: [...new Set(names.flatMap((path) => unitFile.exec(path)?.[1] ?? []))].sort(),
    services: await facts.servicesUsing(new Set(names)),
    lacking: lacking.length === 0 ? undefined : lacking.join('; '),
  };
}

/** Undefined when there is no such file, or no file but a link. */
async function bytesNow(fs: FootprintFacts['fs'], path: string): Promise<number | undefined> {
  const entry = await ifThere(fs.lstat(path));
  return entry?.kind === 'file' ? Math.ceil(entry.size / BLOCK_BYTES) * BLOCK_BYTES : undefined;
}

/** Up, so that the two figures never look the same where one is larger. */
function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
