/**
 * One package file with its files compressed anew, so that dpkg unpacks them sooner: deb(5) says that they are the last
 * member, `data.tar` with the ending of its compression. All before it stays byte for byte.
 *
 * The new file is made under another name, `dpkg-deb` must read out of it the very same tar archive as out of the signed
 * one, and only then does it take its place. Whatever goes wrong, the signed file stays, and why is told.
 */
import { arMembers, withLastMember, type ArMember } from '../../../host/ar-archive.js';
import type { FileSystem } from '../../../host/file-system.js';
import { sha256OfFile } from '../../../host/hash.js';
import { isHostError } from '../../../host/host-error.js';
import type { LowPriorityPipe } from '../../../host/low-priority-pipe.js';
import type { Recompressed } from '../../../update/plan.js';
import { aptEnvironment } from './apt-environment.js';

export interface RecompressFilePorts {
  files: Pick<FileSystem, 'lstat' | 'removeTree' | 'rename'>;
  pipe: LowPriorityPipe;
}

export interface RecompressWish {
  compression: Recompressed['compression'];
  /** What is unpacked may be as large as this. */
  limitBytes: number;
  /** Before the new file takes its place. */
  onDone: (recompressed: Recompressed) => Promise<void>;
  /** Once it is given no program is started any more. */
  signal?: AbortSignal | undefined;
}

export type RecompressOutcome = { recompressed: Recompressed } | { because: string };

/** Those that take long to unpack; zstd, or none at all, is as quick as it gets. */
const slow = /^data\.tar\.(?:xz|lzma|bz2|gz)$/;
/** Less is unpacked sooner than a program starts. */
const SMALL_BYTES = 32 * 1024;

const memberNames = { zstd: 'data.tar.zst', none: 'data.tar' } as const;
/** One thread: as many files as there are processors are worked on. */
const zstd = ['zstd', '-1', '-q', '-c', '-T1'] as const;

const DPKG_DEB = '/usr/bin/dpkg-deb';
/** dpkg-deb itself must read the file: what it would start another program for might be gone in the update boot. */
const alone = { ...aptEnvironment(), PATH: '/nonexistent' };

/** The member to be replaced; undefined where nothing is to be gained. Errors: `NOT_AN_ARCHIVE`. */
export async function slowMember(path: string): Promise<ArMember | undefined> {
  const members = await arMembers(path);
  const last = members.at(-1);
  if (members[0]?.name !== 'debian-binary' || !last) return undefined;
  return slow.test(last.name) && last.sizeBytes > SMALL_BYTES ? last : undefined;
}

export async function recompressFile(
  { files, pipe }: RecompressFilePorts,
  path: string,
  member: ArMember,
  { compression, limitBytes, onDone, signal }: RecompressWish,
): Promise<RecompressOutcome> {
  const made = `${path}.recompressed`;
  const tarOf = (file: string) => [DPKG_DEB, '--fsys-tarfile', file] as const;
  try {
    await files.removeTree(made);
    let signed = { bytes: 0, sha256: '' };
    await withLastMember(path, made, member, memberNames[compression], async (into) => {
      const through = compression === 'zstd' ? { through: zstd } : {};
      signal?.throwIfAborted();
      signed = await pipe({ command: tarOf(path), env: aptEnvironment(), limitBytes, into, ...through });
    });
    signal?.throwIfAborted();
    const read = await pipe({ command: tarOf(made), env: alone, limitBytes });
    if (read.bytes !== signed.bytes || read.sha256 !== signed.sha256) {
      await files.removeTree(made);
      return { because: 'dpkg-deb did not read the same out of it' };
    }
    const { size: sizeBytes } = await files.lstat(made);
    const recompressed = { compression, sizeBytes, sha256: await sha256OfFile(made) };
    await onDone(recompressed);
    await files.rename(made, path);
    return { recompressed };
  } catch (error) {
    await files.removeTree(made).catch(() => undefined); // the first error is the one to tell
    return { because: inWords(error) };
  }
}

function inWords(error: unknown): string {
  if (isHostError(error, 'TOO_MUCH_OUTPUT')) return 'it unpacks to far more than it says (Installed-Size)';
  return error instanceof Error ? error.message : String(error);
}
