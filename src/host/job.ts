/**
 * A long child that we never kill: the package manager.
 *
 * - stdin is /dev/null; stdout and stderr are appended straight to `outputFile` (made with mode 0600), so that neither
 *   a full pipe nor our own death can stop it.
 * - It leads a session of its own: no terminal to ask on, and no Ctrl-C from one.
 * - The status descriptor is a file, too, unlinked and watched: a pipe would kill the writer by SIGPIPE when we die,
 *   and would be held open by a child left behind.
 * - `exited` settles on the child's end, whatever it left behind. `statusLines` gives each whole line, and ends after
 *   `exited` when all that was written till then has been read. It has one reader and keeps what is not yet read.
 *
 * Errors: `COMMAND_NOT_FOUND` thrown at once when it cannot be started.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { HostError } from './host-error.js';
import { openStatusFile } from './status-file.js';

export interface JobEnd {
  /** Undefined when a signal ended it. */
  exitCode: number | undefined;
  signal: string | undefined;
}

export interface Job {
  pid: number;
  statusLines: AsyncIterable<string>;
  exited: Promise<JobEnd>;
}

export interface JobOptions {
  /** The whole environment: nothing is inherited. */
  env: Record<string, string>;
  outputFile: string;
  /** Number of the descriptor that the child writes its status to, 3 or more. */
  statusFd?: number;
  /** See openStatusFile. */
  statusEveryMilliseconds?: number;
  cwd?: string;
}

export type StartJob = (file: string, args: readonly string[], options: JobOptions) => Job;

export const startJob: StartJob = (file, args, options) => {
  const output = openSync(options.outputFile, 'a', 0o600);
  const status = options.statusFd === undefined ? undefined : openStatusFile(options.statusEveryMilliseconds);
  const stdio: ('ignore' | number)[] = ['ignore', output, output];
  if (status && options.statusFd !== undefined) {
    while (stdio.length < options.statusFd) stdio.push('ignore');
    stdio.push(status.fd);
  }
  const child = spawn(file, args, {
    env: options.env,
    stdio,
    detached: true,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  closeSync(output);

  const exited = new Promise<JobEnd>((resolve, reject) => {
    child.once('error', (error) => {
      reject(new HostError('COMMAND_NOT_FOUND', `cannot run ${file}: ${error.message}`, { cause: error }));
    });
    child.once('exit', (exitCode, signal) => {
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined });
    });
  });
  void exited.then(
    () => status?.end(),
    () => status?.end(),
  );
  if (child.pid === undefined) {
    throw new HostError('COMMAND_NOT_FOUND', `cannot run ${file}: not found, or not executable`);
  }
  return { pid: child.pid, statusLines: status?.lines ?? noLines(), exited };
};

// eslint-disable-next-line @typescript-eslint/require-await
async function* noLines(): AsyncGenerator<string> {
  yield* [];
}
