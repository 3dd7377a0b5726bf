/**
 * Acts on files that are on the disk when the promise resolves (invariant 3: write ahead).
 *
 * Each act is a fixed order of the primitives of file-system.ts. The order is the promise: after a power cut at any
 * instant the disk holds the state before or the state after, never a mixture.
 *
 * Errors: the system errors of the primitives, and what an act says itself. When an act fails, the effect may or may not
 * have been made durable.
 */
import { basename, dirname, join } from 'node:path';
import { exists } from './exists.js';
import type { FileSystem } from './file-system.js';
import { HostError, isErrno } from './host-error.js';
import { ifThere } from './if-there.js';

export interface DurableFiles {
  /** New content under this name, whole or not at all. A link of that name is replaced, not followed. Mode 0600. */
  replace(path: string, content: string, mode?: number): Promise<void>;
  /** As `replace`, without a sync of the name: a power cut soon after may leave the old content. For what can be made anew. */
  replaceLazily(path: string, content: string, mode?: number): Promise<void>;
  /**
   * A new file, `EEXIST` when there is one. A power cut may leave a part of it: readers must check it. Cheaper than `replace`,
   * since on btrfs a folder in which a name was changed is synced by a commit of the whole file system.
   */
  create(path: string, content: string, mode?: number): Promise<void>;
  /**
   * One line at the end. A power cut may leave a part of it: readers must check each row, and must not append to a
   * file whose last line is torn. To a file that has not `size` bytes (0: or is not there) nothing is written: `FILE_CHANGED`.
   */
  appendLine(path: string, line: string, size?: number): Promise<void>;
  /** A new symbolic link; `EEXIST` when the name is taken, by whatever it is. */
  link(target: string, path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Two names swapped in one step; `EXCHANGE_UNSUPPORTED`. */
  exchange(a: string, b: string): Promise<void>;
  /** False when it was not there. */
  remove(path: string): Promise<boolean>;
  /** Nothing there is fine. */
  removeTree(path: string): Promise<void>;
  /** With missing parents, all of them with this mode. */
  makeFolder(path: string, mode: number): Promise<void>;
}

export function durableFiles(fs: FileSystem): DurableFiles {
  const syncParents = async (...paths: string[]): Promise<void> => {
    for (const folder of new Set(paths.map((path) => dirname(path)))) await fs.syncFolder(folder);
  };

  const replaceLazily = async (path: string, content: string, mode = 0o600): Promise<void> => {
    const temporary = await createTemporary(fs, path, content, mode);
    try {
      await fs.syncFile(temporary);
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.unlink(temporary).catch(() => undefined); // the first error is the one to tell
      throw error;
    }
  };

  return {
    replaceLazily,

    async replace(path, content, mode) {
      await replaceLazily(path, content, mode);
      await syncParents(path);
    },

    async create(path, content, mode = 0o600) {
      await fs.createFile(path, content, mode);
      await fs.syncFile(path);
      await syncParents(path);
    },

    async appendLine(path, line, size) {
      if (line.includes('\n')) throw new TypeError(`more than one line for ${path}`);
      const there = await ifThere(fs.lstat(path));
      if (size !== undefined && (there?.size ?? 0) !== size) {
        const found = there ? `has ${there.size} bytes` : 'is not there';
        throw new HostError('FILE_CHANGED', `${path} ${found}, and had ${size} bytes`);
      }
      await fs.appendFile(path, `${line}\n`);
      await fs.syncFile(path);
      if (!there) await syncParents(path);
    },

    async link(target, path) {
      await fs.symlink(target, path);
      await syncParents(path);
    },

    async rename(from, to) {
      await fs.rename(from, to);
      await syncParents(to, from); // the new name first: better found twice than lost
    },

    async exchange(a, b) {
      await fs.exchange(a, b);
      await syncParents(a, b);
    },

    async remove(path) {
      try {
        await fs.unlink(path);
      } catch (error) {
        if (isErrno(error, 'ENOENT')) return false;
        throw error;
      }
      await syncParents(path);
      return true;
    },

    async removeTree(path) {
      if (!(await exists(fs, path))) return;
      await fs.removeTree(path);
      await syncParents(path);
    },

    async makeFolder(path, mode) {
      const missing: string[] = [];
      for (let folder = path; !(await exists(fs, folder)); folder = dirname(folder)) missing.unshift(folder);
      for (const folder of missing) {
        await fs.makeFolder(folder, mode);
        await syncParents(folder);
      }
      if (missing.length === 0) await fs.makeFolder(path, mode); // refuses what is not a folder
    },
  };
}

/** The same acts, which become durable when the caller syncs the file system: for many at once, in a place nobody reads before. */
export function unsyncedFiles(fs: FileSystem): DurableFiles {
  const later = (): Promise<void> => Promise.resolve();
  return durableFiles({ ...fs, syncFile: later, syncFolder: later });
}

let temporaryCount = 0;

/** A name no other writer uses; if it is taken, it is the rest of a process that died under our pid. */
async function createTemporary(fs: FileSystem, path: string, content: string, mode: number): Promise<string> {
  temporaryCount += 1;
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${temporaryCount}.new`);
  try {
    await fs.createFile(temporary, content, mode);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) {
      await fs.unlink(temporary).catch(() => undefined); // a full disk leaves a short file
      throw error;
    }
    await fs.unlink(temporary);
    await fs.createFile(temporary, content, mode);
  }
  return temporary;
}
