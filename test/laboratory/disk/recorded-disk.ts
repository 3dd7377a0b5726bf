import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../command.js';
import { LaboratoryError } from '../laboratory-error.js';

const program = join(import.meta.dirname, 'recorder.ts');
const runner = join(import.meta.dirname, '../../../scripts/run-ts.mjs');

/**
 * A disk whose writes and flushes are all recorded: a file that shows the content of an image, to be mounted with `-o loop`.
 * Needs no kernel module but fuse and loop, and costs about 0.05 ms for each write or flush. There is no TRIM: the disk says
 * that it has none.
 */
export class RecordedDisk {
  /** The file to mount. */
  readonly file: string;
  readonly #ended: Promise<number | null>;

  private constructor(file: string, ended: Promise<number | null>) {
    [this.file, this.#ended] = [file, ended];
  }

  /** `file` and `log` are made; `image` changes as the disk does. */
  static async start(image: string, log: string, file: string): Promise<RecordedDisk> {
    await writeFile(file, '');
    const fuse = openSync('/dev/fuse', 'r+');
    try {
      const options = 'fd=3,rootmode=100000,user_id=0,group_id=0,allow_other';
      await inherit(['mount', '-i', '-t', 'fuse', '-o', options, 'recorded-disk', file], fuse);
      const server = spawn(process.execPath, [runner, program, image, log], {
        stdio: ['ignore', 'inherit', 'inherit', fuse],
      });
      const ended = new Promise<number | null>((resolve, reject) => {
        server.on('error', reject).on('exit', resolve);
      });
      ended.catch(() => undefined);
      return new RecordedDisk(file, ended);
    } finally {
      closeSync(fuse);
    }
  }

  /** After the file system on it was unmounted: the log is complete then. */
  async close(): Promise<void> {
    await command(['umount', this.file]);
    const code = await this.#ended;
    if (code !== 0)
      throw new LaboratoryError(`the recorder of ${this.file} ended with ${code ?? 'a signal'}`);
  }
}

/** Runs a command that has `descriptor` as its file descriptor 3. */
async function inherit([program = '', ...args]: readonly string[], descriptor: number): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', descriptor] });
    child.on('error', reject).on('exit', resolve);
  });
  if (code !== 0) throw new LaboratoryError(`${program} ${args.join(' ')} ended with ${code ?? 'a signal'}`);
}
