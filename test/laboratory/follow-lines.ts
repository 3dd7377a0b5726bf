import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** How late a new line may be seen. inotify is no use here: the file may lie in a tmpfs that is not yet mounted. */
const pollMilliseconds = 2;

/**
 * Calls `onLine` for each line that is in `path` or is added to it, until it returns true or `until` says so. Returns whether `onLine` said yes.
 * The file need not exist yet; when another file takes its name, it is read from its beginning, the last line then also without
 * its newline (a JSON document is one such line). One or more folders of the path may be `*`: the first that fits is followed.
 * `root` is asked each time, because a container's root is there only once it has started.
 */
export async function followLines(
  root: () => string | undefined,
  path: string,
  onLine: (line: string) => boolean,
  until: () => boolean,
): Promise<boolean> {
  const reader = new GrowingFile();
  for (;;) {
    // Asked before the reading: what was written up to the end is still read.
    const last = until();
    const found = root();
    const file = found === undefined ? undefined : expand(found, path);
    if (file !== undefined && reader.newLines(file).some(onLine)) return true;
    if (last) return false;
    await pause(pollMilliseconds);
  }
}

class GrowingFile {
  #inode = -1;
  #offset = 0;
  #rest = '';

  newLines(file: string): string[] {
    let descriptor;
    try {
      descriptor = openSync(file, 'r');
    } catch {
      return [];
    }
    try {
      const { ino, size } = fstatSync(descriptor);
      const replaced = ino !== this.#inode || size < this.#offset;
      if (replaced) [this.#inode, this.#offset, this.#rest] = [ino, 0, ''];
      if (size === this.#offset) return [];
      const buffer = Buffer.alloc(size - this.#offset);
      this.#offset += readSync(descriptor, buffer, 0, buffer.length, this.#offset);
      const lines = (this.#rest + buffer.toString('utf8')).split('\n');
      this.#rest = lines.pop() ?? '';
      return replaced && this.#rest !== '' ? [...lines, this.#rest] : lines;
    } catch {
      return [];
    } finally {
      closeSync(descriptor);
    }
  }
}

function expand(root: string, path: string): string | undefined {
  if (!path.includes('*')) return existsSync(join(root, path)) ? join(root, path) : undefined;
  const [before = '', ...after] = path.split('/*/');
  const folder = join(root, before);
  for (const name of namesIn(folder)) {
    const found = expand(join(folder, name), after.join('/*/'));
    if (found !== undefined) return found;
  }
  return undefined;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
