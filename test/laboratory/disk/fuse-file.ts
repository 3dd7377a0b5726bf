import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { command } from '../command.js';
import { LaboratoryError } from '../laboratory-error.js';

const runner = join(import.meta.dirname, '../../../scripts/run-ts.mjs');

/** A file whose content a program of ours shows by FUSE, to be mounted with `-o loop`: a disk with ways of its own. */
export class FuseFile {
  readonly path: string;
  readonly #ended: Promise<ServerEnd>;

  private constructor(path: string, ended: Promise<ServerEnd>) {
    [this.path, this.#ended] = [path, ended];
  }

  /** `path` is made. `program`: a TypeScript file and its arguments; it gets the mount as file descriptor 3. */
  static async start(path: string, name: string, program: readonly string[]): Promise<FuseFile> {
    await writeFile(path, '');
    const fuse = openSync('/dev/fuse', 'r+');
    try {
      const options = 'fd=3,rootmode=100000,user_id=0,group_id=0,allow_other';
      await inherit(['mount', '-i', '-t', 'fuse', '-o', options, name, path], fuse);
      const server = spawn(process.execPath, [runner, ...program], {
        stdio: ['ignore', 'inherit', 'pipe', fuse],
      });
      let words = '';
      server.stderr?.setEncoding('utf8').on('data', (text: string) => {
        words += text;
      });
      const ended = new Promise<ServerEnd>((resolve, reject) => {
        server.on('error', reject).on('close', (code) => {
          resolve({ code, words });
        });
      });
      ended.catch(() => undefined);
      return new FuseFile(path, ended);
    } finally {
      closeSync(fuse);
    }
  }

  /** Opens the file once. Rejects with the words of its server when that does not work; it is unmounted then. */
  async prove(): Promise<void> {
    try {
      await (await open(this.path)).close();
    } catch {
      await command(['umount', '--lazy', this.path]);
      const { words } = await this.#ended;
      throw new LaboratoryError(/^Error: (.*)$/m.exec(words)?.[1] ?? words);
    }
  }

  /** After nobody uses the file any more. Returns when the program has done all it does at its end. */
  async close(): Promise<void> {
    await command(['umount', this.path]);
    const { code, words } = await this.#ended;
    if (code !== 0)
      throw new LaboratoryError(`the server of ${this.path} ended with ${code ?? 'a signal'}: ${words}`);
  }
}

interface ServerEnd {
  code: number | null;
  /** All of its standard error. */
  words: string;
}

/** Runs a command that has `descriptor` as its file descriptor 3. */
async function inherit([program = '', ...args]: readonly string[], descriptor: number): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', descriptor] });
    child.on('error', reject).on('exit', resolve);
  });
  if (code !== 0) throw new LaboratoryError(`${program} ${args.join(' ')} ended with ${code ?? 'a signal'}`);
}
