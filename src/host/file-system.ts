/**
 * The primitives of the file system: the port through which everything durable is written.
 *
 * Each write, each sync and each change of a name is a verb of its own, because the crash tests put a recording layer
 * in its place and enumerate what a power cut may leave after each verb. Nothing here is durable by itself; see
 * durable-files.ts for acts that are.
 *
 * Errors: Node's system errors as they are (`ENOENT`, `EEXIST`, ...), and `EXCHANGE_UNSUPPORTED` or
 * `COMMAND_FAILED` of `exchange`.
 */
import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  lchown,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256OfFile } from './hash.js';
import { HostError, isErrno } from './host-error.js';
import { runCommand } from './command.js';

/** What stat(2) says, without its clocks but one: nothing here may depend on what time it is. */
export interface Entry {
  kind: 'file' | 'folder' | 'symlink' | 'other';
  /** Bytes. */
  size: number;
  /** Permission bits only, such as 0o755. */
  mode: number;
  uid: number;
  gid: number;
  device: number;
  inode: number;
  /** Count of hard links. */
  links: number;
  /** When it was last written to, in nanoseconds (mtime): only for whether that is the same as before. */
  written: bigint;
}

export interface FileSystem {
  /** The whole file as UTF-8; links are followed. */
  readFile(path: string): Promise<string>;
  readLink(path: string): Promise<string>;
  /** Names in byte order, without `.` and `..`. */
  readFolder(path: string): Promise<string[]>;
  lstat(path: string): Promise<Entry>;
  /** The same of what a link leads to, also through a link of /proc/PID/fd. */
  stat(path: string): Promise<Entry>;
  /** As lower-case hex; of a regular file only, and never through a link: `NOT_A_FILE`. */
  sha256(path: string): Promise<string>;

  /** A new file with exactly this mode; `EEXIST` when the name is taken, even by a dangling link. */
  createFile(path: string, content: string, mode: number): Promise<void>;
  /** Creates with mode 0600; never through a link (`ELOOP`). */
  appendFile(path: string, content: string): Promise<void>;
  /** One symlink(2): `EEXIST` when the name is taken. */
  symlink(target: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Swaps two names in one atomic step (RENAME_EXCHANGE). */
  exchange(a: string, b: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Nothing there is fine. */
  removeTree(path: string): Promise<void>;
  /** With missing parents; the mode is given to the folders that are made, and only to them. */
  makeFolder(path: string, mode: number): Promise<void>;
  changeMode(path: string, mode: number): Promise<void>;
  /** Of a link itself, never of what it points to. */
  changeOwner(path: string, uid: number, gid: number): Promise<void>;
  /** Shares the blocks where the file system can (reflink); replaces an existing file. */
  copyFile(from: string, to: string): Promise<void>;
  /** A hard link. */
  linkFile(from: string, to: string): Promise<void>;

  /** fsync(2) of a file. */
  syncFile(path: string): Promise<void>;
  /** fsync(2) of a folder: makes the names in it durable. */
  syncFolder(path: string): Promise<void>;
  /** syncfs(2) of the file system that holds `path`. */
  syncFileSystem(path: string): Promise<void>;
}

/** The real file system. */
export const fileSystem: FileSystem = {
  readFile: (path) => readFile(path, 'utf8'),
  readLink: (path) => readlink(path),
  readFolder: async (path) => (await readdir(path)).sort(byBytes),
  lstat: async (path) => entryOf(await lstat(path, { bigint: true })),
  stat: async (path) => entryOf(await stat(path, { bigint: true })),
  sha256: sha256OfFile,
  createFile,
  appendFile,
  symlink: (target, path) => symlink(target, path),
  rename: (from, to) => rename(from, to),
  exchange,
  unlink: (path) => unlink(path),
  removeTree: async (path) => (await import('./trees.js')).removeTree(path),
  makeFolder,
  changeMode: (path, mode) => chmod(path, mode),
  changeOwner: (path, uid, gid) => lchown(path, uid, gid),
  copyFile: (from, to) => copyFile(from, to, constants.COPYFILE_FICLONE),
  linkFile: (from, to) => link(from, to),
  syncFile: (path) => sync(path, constants.O_RDONLY | constants.O_NOFOLLOW),
  syncFolder: (path) => sync(path, constants.O_RDONLY | constants.O_DIRECTORY),
  syncFileSystem,
};

const inEnglish = { env: { LC_ALL: 'C' } };

async function createFile(path: string, content: string, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  try {
    await file.writeFile(content);
    await file.chmod(mode); // open(2) lets the umask take bits away
  } finally {
    await file.close();
  }
}

async function appendFile(path: string, content: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o600);
  try {
    await file.appendFile(content);
  } finally {
    await file.close();
  }
}

/**
 * Node has no renameat2(2); coreutils 9.5 and newer (Debian 13) does it in one call. However mv ends, it may have done it
 * before: who took that for "cannot" would undo it. So the names themselves tell.
 */
async function exchange(a: string, b: string): Promise<void> {
  const before = await identities(a, b);
  const { exitCode, signal, stderr } = await runCommand(
    'mv',
    ['--exchange', '-T', '--no-copy', '--', a, b],
    inEnglish,
  );
  if (exitCode === 0) return;
  const [nowA, nowB] = await identities(a, b);
  if (nowA === before[1] && nowB === before[0]) return;
  const code = signal === undefined ? 'EXCHANGE_UNSUPPORTED' : 'COMMAND_FAILED';
  throw new HostError(
    code,
    `cannot exchange ${a} and ${b}: ${signal === undefined ? stderr : `ended by ${signal}`}`,
  );
}

/** The device, too: the root of each subvolume of btrfs has the same inode. */
async function identities(...paths: string[]): Promise<string[]> {
  return Promise.all(
    paths.map(async (path) => {
      const { dev, ino } = await lstat(path, { bigint: true });
      return `${dev} ${ino}`;
    }),
  );
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    if (isErrno(error, 'ENOENT') && dirname(path) !== path) {
      await makeFolder(dirname(path), mode);
      await makeFolder(path, mode);
      return;
    }
    if (isErrno(error, 'EEXIST') && (await stat(path)).isDirectory()) return;
    throw error;
  }
  await chmod(path, mode); // mkdir(2) lets the umask take bits away
}

async function sync(path: string, flags: number): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFileSystem(path: string): Promise<void> {
  const { exitCode, stderr } = await runCommand('sync', ['--file-system', '--', path], inEnglish);
  if (exitCode === 0) return;
  await lstat(path);
  throw new HostError('COMMAND_FAILED', `cannot sync the file system of ${path}: ${stderr}`);
}

function entryOf(stats: BigIntStats): Entry {
  return {
    kind: kindOf(stats),
    size: Number(stats.size),
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    device: Number(stats.dev),
    inode: Number(stats.ino),
    links: Number(stats.nlink),
    written: stats.mtimeNs,
  };
}

function kindOf(stats: BigIntStats): Entry['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'folder';
  return stats.isSymbolicLink() ? 'symlink' : 'other';
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
