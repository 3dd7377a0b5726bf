/**
 * The programs that the btrfs provider drives, as they act on the model disk. A snapshot and a change of the default
 * subvolume are durable after syncfs(2) and not before; `delete --commit-after` waits for the disk itself.
 */
import { basename } from 'node:path';
import type { CommandResult } from '../../../src/host/command.js';
import type { Mount } from '../../../src/host/mounts.js';
import { mountAt } from '../../fixtures/mount-at.js';
import { SUPERBLOCK, type Disk } from './disk.js';
import { find, place, type View } from './paths-on-disk.js';

export const TOP_LEVEL = 5;

export function said(stdout = '', exitCode = 0): CommandResult {
  return { exitCode, signal: undefined, stdout, stderr: '' };
}

/** Undefined for what is no command of btrfs. */
export function btrfsCommand(view: View, file: string, args: readonly string[]): CommandResult | undefined {
  const { disk, mounts } = view;
  const [last = '', before = ''] = args.toReversed();
  if (file === 'mount') {
    mounts.set(last, TOP_LEVEL);
    return said();
  }
  if (file === 'umount') {
    mounts.delete(last);
    return said();
  }
  if (file !== 'btrfs') return undefined;
  switch (
    args
      .filter((word) => !word.startsWith('-'))
      .slice(0, 2)
      .join(' ')
  ) {
    case 'subvolume snapshot': {
      const { folder, name } = place(view, last);
      const to = disk.snapshot(find(view, before, true));
      disk.apply({ kind: 'names', changes: [{ folder, name, to }] });
      return said();
    }
    case 'subvolume delete': {
      const { folder, name } = place(view, last);
      disk.apply({ kind: 'names', changes: [{ folder, name, to: undefined }] });
      disk.syncAll();
      return said();
    }
    case 'subvolume set-default':
      disk.apply({
        kind: 'names',
        changes: [{ folder: SUPERBLOCK, name: 'default', to: Number(before) }],
      });
      return said();
    case 'subvolume get-default': {
      const id = disk.inode(SUPERBLOCK).names.get('default') ?? TOP_LEVEL;
      return said(
        id === TOP_LEVEL ? 'ID 5 (FS_TREE)' : `ID ${id} gen 1 top level 5 path ${nameOf(disk, id)}`,
      );
    }
    case 'inspect-internal rootid':
      return said(String(disk.inode(find(view, last, true)).device));
    case 'subvolume list':
      return said();
    default:
      throw new Error(`no such command in the model: ${file} ${args.join(' ')}`);
  }
}

/** What the kernel tells of the mounts: a root that was renamed while it runs is told by its new name. */
export function mountsOf({ disk, mounts }: View, isBtrfs: boolean): Mount[] {
  const root = mounts.get('/') ?? TOP_LEVEL;
  const name = isBtrfs ? nameOf(disk, root) : '';
  const options = isBtrfs ? ['rw', `subvolid=${root}`, `subvol=/${name}`] : ['rw'];
  const type = isBtrfs ? 'btrfs' : 'ext4';
  return [
    mountAt('/', { source: '/dev/disk', type, device: '0:30', options, root: `/${name}` }),
    mountAt('/run', { source: 'tmpfs', type: 'tmpfs', device: '0:21' }),
  ];
}

/** The name of a subvolume at the top level. */
export function nameOf(disk: Disk, id: number): string {
  for (const [name, to] of disk.inode(TOP_LEVEL).names) if (to === id) return basename(name);
  return '';
}
