/** The machines whose update boots are recorded: a file system, a policy, and the way back from a cut in mid-install. */
import type { DiskFileSystem } from '../laboratory/disk/disk-machine.js';

export interface Variant {
  fileSystem: DiskFileSystem;
  /** TOML. */
  policy: string;
  /**
   * What a cut in mid-install leads to: `fallback`, the old root boots, with no code of ours; `resume`, an update boot goes
   * on from the sealed files.
   */
  way: 'fallback' | 'resume';
}

export const btrfsFallback: Variant = {
  fileSystem: 'btrfs',
  policy: 'snapshot = "require"\n',
  way: 'fallback',
};

export const ext4Resume: Variant = { fileSystem: 'ext4', policy: 'snapshot = "off"\n', way: 'resume' };
