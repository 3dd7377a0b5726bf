/** What was promised against the others, and whether it holds: seconds away, and seconds installing. */
import { median } from '../statistics.js';
import type { PeersRow } from './report.js';
import type { DiskName, FileSystemName } from './peer-disk.js';
import { titleOf } from './scenarios.js';
import type { Turn } from './turn.js';

interface Target {
  size: string;
  fileSystem: FileSystemName;
  disk: DiskName;
  than: 'bare' | 'packagekit';
  measured: 'away' | 'installing';
  most: number;
}

const onBtrfs = { fileSystem: 'btrfs' } as const;

const targets: readonly Target[] = [
  { ...onBtrfs, size: '100', disk: 'fast', than: 'bare', measured: 'away', most: 0.6 },
  { ...onBtrfs, size: '100', disk: 'fast', than: 'packagekit', measured: 'away', most: 0.55 },
  { ...onBtrfs, size: '100', disk: 'slow-flushes', than: 'bare', measured: 'away', most: 0.3 },
  { ...onBtrfs, size: '100', disk: 'slow-flushes', than: 'packagekit', measured: 'away', most: 0.3 },
  { ...onBtrfs, size: '1', disk: 'fast', than: 'bare', measured: 'away', most: 1 },
  { ...onBtrfs, size: '1', disk: 'fast', than: 'packagekit', measured: 'away', most: 1 },
  { ...onBtrfs, size: '100', disk: 'fast', than: 'bare', measured: 'installing', most: 0.5 },
];

/** The seconds away of ours, at most, as a share of theirs, for this size; undefined when nothing was promised. */
export function mostAway(size: string, than: string): number | undefined {
  return targets.find(
    (target) =>
      target.size === size && target.than === than && target.disk === 'fast' && target.measured === 'away',
  )?.most;
}

/** Cells of a table, a row for each target that was measured. */
export function targetRows(rows: readonly PeersRow[]): string[][] {
  return targets.flatMap((target) => {
    const find = (name: string): readonly Turn[] =>
      rows.find(
        ({ fileSystem, disk, size, candidate }) =>
          fileSystem === target.fileSystem &&
          disk === target.disk &&
          size === target.size &&
          candidate === name,
      )?.turns ?? [];
    const [ours, theirs] = [find('ours'), find(target.than)];
    if (ours.length === 0 || theirs.length === 0) return [];
    const ratio = (valueOf: (turn: Turn) => number): number =>
      median(ours.map(valueOf)) / median(theirs.map(valueOf));
    const away = target.measured === 'away';
    const measured = ratio((turn) => (away ? turn.awaySeconds : turn.installSeconds));
    const withoutGaps = away ? ratio((turn) => turn.awaySeconds - turn.gapSeconds).toFixed(2) : '';
    return [
      [
        `${target.measured}, ${titleOf(target.size)}, against ${target.than}`,
        `${target.fileSystem}, ${target.disk}`,
        `≤ ${target.most}`,
        measured.toFixed(2),
        withoutGaps,
        measured <= target.most ? 'yes' : '**no**',
      ],
    ];
  });
}
