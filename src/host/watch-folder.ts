/** Waits for changes in a folder, without asking again and again. */
import { watch } from 'node:fs';

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
