/**
 * While the updated root has another name, `update-grub` of a kernel package writes that name into grub.cfg, which would
 * lead GRUB to the old root after the commit. Told as text: the name is too long to be anything else.
 */
import { join } from 'node:path';
import type { DurableFiles } from '../../host/durable-files.js';
import type { FileSystem } from '../../host/file-system.js';
import { isErrno } from '../../host/host-error.js';
import { GRUB_CONFIGURATIONS } from '../../update/boot-entries.js';

/** `from` is the name while updating, `to` the name that boots. */
export function mendGrubText(text: string, from: string, to: string): string {
  return text.replaceAll(from, to);
}

/** Durable when it returns; the mode of each file stays. Resolves with the files that were put right. */
export async function mendGrub(
  { fs, files, root }: { fs: FileSystem; files: DurableFiles; root: string },
  from: string,
  to: string,
): Promise<string[]> {
  const mended: string[] = [];
  for (const path of GRUB_CONFIGURATIONS.map((each) => join(root, each))) {
    try {
      const text = await fs.readFile(path);
      if (!text.includes(from)) continue;
      await files.replace(path, mendGrubText(text, from, to), (await fs.lstat(path)).mode);
      mended.push(path);
    } catch (error) {
      if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return mended;
}
