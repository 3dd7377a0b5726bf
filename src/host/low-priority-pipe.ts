/**
 * A command whose output is hashed as it comes, and goes into a file, or through a second command into it. Both run at the
 * lowest priority for the processor, and by that for the disk too (ioprio_set(2)): what others do goes first. Nothing is
 * held in memory but a buffer.
 *
 * Errors: HostError `COMMAND_FAILED` with the words of the command that failed, and `TOO_MUCH_OUTPUT`; then neither of them
 * runs any more. The system's own, such as `ENOSPC`.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { createHash } from 'node:crypto';
import { Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HostError, isErrno } from './host-error.js';
import { writeAll } from './write-all.js';

export interface PipeWords {
  /** Absolute, where `PATH` of the environment is not to be searched. */
  command: readonly [file: string, ...args: string[]];
  /** The whole environment of both. */
  env: Record<string, string>;
  /** Of what the command prints. */
  limitBytes: number;
  through?: readonly [file: string, ...args: string[]];
  /** A descriptor, written to at its present position; without it the output is hashed alone. */
  into?: number;
}

/** What the command printed, whatever the second one made of it. */
export interface Piped {
  bytes: number;
  sha256: string;
}

export type LowPriorityPipe = (words: PipeWords) => Promise<Piped>;

const NICE = '/usr/bin/nice';
const shownErrorCharacters = 300;

export const lowPriorityPipe: LowPriorityPipe = async ({ command, env, limitBytes, through, into }) => {
  const start = (words: readonly string[], stdio: StdioOptions): ChildProcess =>
    spawn(NICE, ['-n', '19', ...words], { env, stdio });
  const first = start(command, ['ignore', 'pipe', 'pipe']);
  const second = through && start(through, ['pipe', into ?? 'ignore', 'pipe']);
  const ends = Promise.all([endOf(first, command[0]), second && endOf(second, through[0])]);
  const sum = { bytes: 0, hash: createHash('sha256') };
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum.bytes += chunk.length;
      sum.hash.update(chunk);
      if (sum.bytes <= limitBytes) done(null, chunk);
      else done(new HostError('TOO_MUCH_OUTPUT', `${command[0]} printed more than ${limitBytes} bytes`));
    },
  });
  let broken: Error | undefined;
  try {
    if (first.stdout) await pipeline(first.stdout, counted, sinkOf(second, into));
  } catch (error) {
    broken = error instanceof Error ? error : new Error(String(error));
    first.kill('SIGKILL');
    // one that reads no more ends by itself, and tells why
    if (!isErrno(error, 'EPIPE')) second?.kill('SIGKILL');
  }
  const [firstFailed, secondFailed] = await ends;
  if (broken !== undefined && !isErrno(broken, 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE')) throw broken;
  const words = secondFailed ?? firstFailed;
  if (words !== undefined) throw new HostError('COMMAND_FAILED', words, { cause: broken });
  if (broken !== undefined) throw broken;
  return { bytes: sum.bytes, sha256: sum.hash.digest('hex') };
};

/** Not a stream of node:fs: on an error that would close the descriptor, which is not its own. */
function sinkOf(second: ChildProcess | undefined, into: number | undefined): NodeJS.WritableStream {
  if (second?.stdin) return second.stdin;
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (into === undefined) done();
      else
        writeAll(into, chunk).then(() => {
          done();
        }, done);
    },
  });
}

/** Undefined when it ended well. */
function endOf(child: ChildProcess, name: string): Promise<string | undefined> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, shownErrorCharacters);
  });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve(`${name} cannot be run: ${error.message}`);
    });
    child.once('close', (exitCode, signal) => {
      const how = signal === null ? `exit code ${exitCode ?? 'unknown'}` : `ended by ${signal}`;
      const why = said.trim().replace(/\s+/g, ' ');
      resolve(exitCode === 0 ? undefined : `${name}: ${how}${why === '' ? '' : `, ${why}`}`);
    });
  });
}
