/**
 * The trigger: what lies at `/system-update` and `/etc/system-update`, and whose it is. Never follows a link: a
 * dangling link redirects the boot all the same (offline-updates(7), step 3; systemd 219 and newer).
 */
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { CLAIMED_SUFFIX, TRIGGER_TARGET } from './paths.js';

export type LinkTruth =
  | { kind: 'absent' }
  | { kind: 'ours'; target: string }
  | { kind: 'foreign'; target: string; owner: string | undefined }
  /** A file or a folder in its place: systemd redirects the boot for it as well. */
  | { kind: 'not-a-link'; entry: 'file' | 'folder' | 'other' };

export interface TriggerTruth {
  path: string;
  link: LinkTruth;
  /** The same name with `.claimed`: an attempt is under way, or was cut short. */
  claimed: LinkTruth;
}

export async function readTriggers(fs: FileSystem, paths: readonly string[]): Promise<TriggerTruth[]> {
  return Promise.all(
    paths.map(async (path) => ({
      path,
      link: await readLinkTruth(fs, path),
      claimed: await readLinkTruth(fs, path + CLAIMED_SUFFIX),
    })),
  );
}

export async function readLinkTruth(fs: FileSystem, path: string): Promise<LinkTruth> {
  let target: string;
  try {
    target = await fs.readLink(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return { kind: 'absent' };
    if (!isErrno(error, 'EINVAL')) throw error;
    const { kind } = await fs.lstat(path);
    return { kind: 'not-a-link', entry: kind === 'file' || kind === 'folder' ? kind : 'other' };
  }
  return isOurTarget(target)
    ? { kind: 'ours', target }
    : { kind: 'foreign', target, owner: guessOwner(target) };
}

/** Absolute or relative to the folder of the link; the shell scripts accept the very same words. */
export function isOurTarget(target: string): boolean {
  return [TRIGGER_TARGET, TRIGGER_TARGET.slice(1), `..${TRIGGER_TARGET}`].includes(target);
}

const owners: readonly [RegExp, string][] = [
  [/PackageKit/i, 'PackageKit'],
  [/(^|\/)libdnf5\/offline/, 'dnf5 offline'],
  [/(^|\/)dnf\/system-upgrade/, 'dnf system-upgrade'],
  [/(^|\/)cache\/pacman/, 'pacman-offline'],
  [/(^|\/)cache\/apt\/archives/, 'pop-upgrade'],
  [/fwupd/, 'fwupd'],
  [/eopkg/, 'eopkg'],
];

export function guessOwner(target: string): string | undefined {
  return owners.find(([pattern]) => pattern.test(target))?.[1];
}
