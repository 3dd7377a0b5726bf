import { join } from 'node:path';
import { FuseFile } from './fuse-file.js';

const program = join(import.meta.dirname, 'recorder.ts');

/**
 * A disk whose writes and flushes are all recorded: a file that shows the content of an image, to be mounted with `-o loop`.
 * Needs no kernel module but fuse and loop, and costs about 0.05 ms for each write or flush. There is no TRIM: the disk says
 * that it has none.
 */
export class RecordedDisk {
  /** The file to mount. */
  readonly file: string;
  readonly #shown: FuseFile;

  private constructor(shown: FuseFile) {
    [this.file, this.#shown] = [shown.path, shown];
  }

  /** `file` and `log` are made; `image` changes as the disk does. */
  static async start(image: string, log: string, file: string): Promise<RecordedDisk> {
    return new RecordedDisk(await FuseFile.start(file, 'recorded-disk', [program, image, log]));
  }

  /** After the file system on it was unmounted: the log is complete then. */
  close(): Promise<void> {
    return this.#shown.close();
  }
}
