/**
 * What becomes of each mounted file system in a throw-away copy of the system (units/throw-away-root). Pure.
 *
 * - of a disk: an overlay, so that it looks the same and is not written. vfat cannot lie below an overlay (its names
 *   have no case): it is copied, and read-only where that would be too much;
 * - of memory (/tmp): an empty one;
 * - a file that is mounted, as container managers do: read-only, in its place;
 * - of the kernel, of a network or of a user's program: left out. The update boot has no network file system either.
 *
 * The root itself and all below /dev, /proc, /run and /sys is made anew by the script.
 */
import type { Mount } from './mounts.js';

export interface ThrowAwayMount {
  how: 'overlay' | 'copy' | 'read-only' | 'empty';
  path: string;
}

export interface MountFacts extends Pick<Mount, 'target' | 'type'> {
  isFolder: boolean;
  usedBytes: number;
}

/** Kernels and boot loaders, copied into memory. */
const copiedAtMostBytes = 512 * 1024 * 1024;

const onDisk =
  /^(?:ext[234]|xfs|btrfs|f2fs|jfs|reiserfs|nilfs2|bcachefs|zfs|overlay|squashfs|erofs|iso9660|udf)$/;
const withoutCase = /^(?:vfat|msdos|exfat|ntfs3?)$/;
const inMemory = /^(?:tmpfs|ramfs)$/;
const madeAnew = /^\/(?:dev|proc|run|sys)(?:\/|$)/;
/** Would end a path in the options of mount(8). */
const unspeakable = /[:,\\\n]/;

/** Whether a mount of this kind has to be looked into before its fate is known. */
export function isLookedInto({ target, type }: Pick<Mount, 'target' | 'type'>): boolean {
  return !madeAnew.test(target) && [onDisk, withoutCase, inMemory].some((kind) => kind.test(type));
}

/** In the order of mounting; of two on the same path only the last is seen. */
export function throwAwayMounts(mounts: readonly MountFacts[]): ThrowAwayMount[] {
  const last = new Map(mounts.map((mount) => [mount.target, mount]));
  const kept = [...last.values()].filter(({ target }) => target !== '/' && !madeAnew.test(target));
  return kept
    .flatMap((mount) => {
      const how = howOf(mount);
      return how === undefined ? [] : [{ how, path: mount.target }];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function howOf({ type, target, isFolder, usedBytes }: MountFacts): ThrowAwayMount['how'] | undefined {
  if (inMemory.test(type)) return isFolder ? 'empty' : 'read-only';
  if (withoutCase.test(type)) return isFolder && usedBytes <= copiedAtMostBytes ? 'copy' : 'read-only';
  if (!onDisk.test(type)) return undefined;
  return isFolder && !unspeakable.test(target) ? 'overlay' : 'read-only';
}
