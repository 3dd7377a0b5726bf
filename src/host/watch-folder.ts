/** Waits for changes in a folder, without asking again and again. */
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from './host-error.js';

/**
 * Calls `look` once, and again after each change of a name in the folder, until it says false. The folder must be
 * there. Errors: the system's own (`ENOSPC`: no inotify watch is left), and what `look` throws.
 */
export async function lookAtChanges(folder: string, look: () => Promise<boolean>): Promise<void> {
  let changes = 1;
  let wake: () => void = () => undefined;
  let failed: Error | undefined;
  // Watched before the first look: no change falls between the two.
  const watcher = watch(folder, () => {
    changes += 1;
    wake();
  });
  watcher.on('error', (error) => {
    failed = error;
    wake();
  });
  try {
    for (let seen = 0; ;) {
      if (failed) throw failed;
      if (seen === changes) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      seen = changes;
      if (!(await look())) return;
    }
  } finally {
    watcher.close();
  }
}

export interface FolderWatch {
  /**
   * Watches these folders and no others; those that are not there are left out, and so is what the kernel has no watch
   * left for. True when one is new.
   */
  over(folders: readonly string[]): boolean;
  /** For good: a look that is still under way begins no new watch, which would keep the process alive. */
  close(): void;
}

/** Calls `onChange` after a change of a name or of a file in one of the folders, with its path. */
export function folderWatch(onChange: (path: string) => void): FolderWatch {
  const watchers = new Map<string, FSWatcher>();
  let isClosed = false;
  const leave = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  return {
    over(folders) {
      if (isClosed) return false;
      for (const folder of watchers.keys()) if (!folders.includes(folder)) leave(folder);
      const added = folders.filter((folder) => !watchers.has(folder));
      for (const folder of added) {
        try {
          const watcher = watch(folder, (_, name) => {
            onChange(join(folder, name ?? ''));
          });
          watchers.set(folder, watcher);
          watcher.on('error', () => {
            leave(folder);
          });
        } catch (error) {
          if (!isErrno(error, 'ENOENT', 'ENOSPC', 'EMFILE')) throw error;
        }
      }
      return added.some((folder) => watchers.has(folder));
    },
    close() {
      isClosed = true;
      for (const folder of [...watchers.keys()]) leave(folder);
    },
  };
}
