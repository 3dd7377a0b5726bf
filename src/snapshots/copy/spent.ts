/** A copy that was put back is spent: the system is what it held. */
import { join } from 'node:path';
import type { DurableFiles } from '../../host/durable-files.js';
import type { FileSystem } from '../../host/file-system.js';
import { isErrno } from '../../host/host-error.js';
import type { Paths } from '../../update/paths.js';

export async function dropSpentCopy({
  fs,
  files,
  paths,
}: {
  fs: FileSystem;
  files: DurableFiles;
  paths: Paths;
}): Promise<void> {
  try {
    const id = await fs.readLink(paths.copyRestored);
    await files.removeTree(join(paths.fallbacks, id));
    await files.remove(paths.copyRestored);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
