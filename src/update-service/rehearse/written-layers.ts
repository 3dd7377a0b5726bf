/**
 * What was written to a throw-away copy (units/throw-away-root): the upper layers of its overlays. A file that was
 * removed is a character device there (Documentation/filesystems/overlayfs.rst, whiteouts).
 */
import { join } from 'node:path';
import type { FileSystem } from '../../host/file-system.js';
import type { Performance, WrittenFile } from '../../update/rehearsal.js';

export const THROW_AWAY_FOLDER = '/run/throw-away';
/** File systems give out whole blocks; 4 KiB is what nearly all have. */
const BLOCK_BYTES = 4096;

export async function writtenLayers(
  fs: FileSystem,
  except: ReadonlySet<string>,
): Promise<Performance['written']> {
  const layers: Performance['written'] = [];
  for (const name of await fs.readFolder(THROW_AWAY_FOLDER)) {
    const [, number] = /^(\d+)\.lies-over$/.exec(name) ?? [];
    if (number === undefined) continue;
    const text = (await fs.readFile(join(THROW_AWAY_FOLDER, name))).trimEnd();
    const how = text.startsWith('copy ') ? 'copy' : 'overlay';
    const path = text.slice(text.indexOf(' ') + 1);
    const files = await filesBelow(fs, join(THROW_AWAY_FOLDER, number), path);
    layers.push({ path, how, files: files.filter((file) => !except.has(file.path)) });
  }
  return layers;
}

async function filesBelow(fs: FileSystem, folder: string, path: string): Promise<WrittenFile[]> {
  const found: WrittenFile[] = [];
  for (const name of await fs.readFolder(folder)) {
    const { kind, size } = await fs.lstat(join(folder, name));
    const at = join(path, name);
    if (kind === 'folder') found.push(...(await filesBelow(fs, join(folder, name), at)));
    else {
      const bytes = kind === 'file' ? Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES : 0;
      found.push({ path: at, bytes, removed: kind === 'other' });
    }
  }
  return found;
}
