/** The machines whose update boots are recorded: a file system, a policy, and the way back from a cut in mid-install. */
import type { DiskFileSystem } from '../laboratory/disk/disk-machine.js';

export interface Variant {
  fileSystem: DiskFileSystem;
  /** TOML. */
  policy: string;
  /**
   * What a cut in mid-install leads to: `fallback`, the old root boots, with no code of ours; `resume`, an update boot goes
   * on from the sealed files; `copy`, an update boot puts back what was saved.
   */
  way: 'fallback' | 'resume' | 'copy';
}

export const btrfsFallback: Variant = {
  fileSystem: 'btrfs',
  policy: 'snapshot = "require"\n',
  way: 'fallback',
};

export const ext4Resume: Variant = {
  fileSystem: 'ext4',
  policy: 'withoutSnapshots = "resume"\n',
  way: 'resume',
};

export const ext4Copy: Variant = { fileSystem: 'ext4', policy: 'withoutSnapshots = "copy"\n', way: 'copy' };
