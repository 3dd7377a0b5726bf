/**
 * Short commands: run to the end, with the output in memory. For long ones that must never be killed see job.ts.
 *
 * A non-zero exit is a result, not an error. The output comes without its last newline. stdin is empty or `input`.
 * Settles when the child *exits*, and at most `pipeGraceMilliseconds` later if something it left behind still holds
 * its output open (a daemon started by a hook must not hold us).
 *
 * Errors: HostError `COMMAND_NOT_FOUND`; `COMMAND_FAILED` when it could not be started for another reason, printed more than
 * 256 MiB or ran over `timeoutSeconds` (then it is killed; with all its descendants if `withDescendants`).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { HostError, isErrno } from './host-error.js';

export interface CommandResult {
  /** Undefined when a signal ended it. */
  exitCode: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env?: Record<string, string>;
  /** Adds `env` to our own environment (default), or replaces it. */
  extendEnv?: boolean;
  input?: string;
  cwd?: string;
  timeoutSeconds?: number;
  /** A program that others have written: what it started ends with it when it runs over its time. */
  withDescendants?: boolean;
}

export type RunCommand = (
  file: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<CommandResult>;

const outputLimitBytes = 256 << 20;
const pipeGraceMilliseconds = 1000;

export const runCommand: RunCommand = async (file, args, options = {}) =>
  options.withDescendants
    ? (await import('./command-tree.js')).runCommandTree(file, args, options)
    : runAlone(file, args, options);

const runAlone = (
  file: string,
  args: readonly string[],
  { env = {}, extendEnv = true, cwd, input, timeoutSeconds }: CommandOptions,
): Promise<CommandResult> =>
  new Promise<CommandResult>((resolve, reject) => {
    const options = {
      env: extendEnv ? { ...process.env, ...env } : env,
      maxBuffer: outputLimitBytes,
      ...(cwd !== undefined && { cwd }),
    };
    let grace: NodeJS.Timeout | undefined;
    let limit: NodeJS.Timeout | undefined;
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      clearTimeout(grace);
      clearTimeout(limit);
      // Node writes a negative number where a program was never started
      if (isErrno(error, 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER'))
        reject(new HostError('COMMAND_FAILED', `${file} was ended: it printed more than 256 MiB`));
      else if (child.pid === undefined || (child.exitCode === null && child.signalCode === null))
        reject(notStarted(file, cwd, error));
      else
        resolve({
          exitCode: child.exitCode ?? undefined,
          signal: child.signalCode ?? undefined,
          stdout: stdout.replace(/\n$/, ''),
          stderr: stderr.replace(/\n$/, ''),
        });
    });
    if (timeoutSeconds !== undefined) {
      limit = setTimeout(() => {
        // not even SIGKILL ends it at once when it waits for a disk
        reject(new HostError('COMMAND_FAILED', `${file} was ended: no result within ${timeoutSeconds} s`));
        child.kill('SIGKILL');
      }, timeoutSeconds * 1000);
    }
    child.stdin?.on('error', () => undefined); // it may end without having read
    child.stdin?.end(input);
    child.once('exit', () => {
      // what it left behind may hold its output open: a daemon started by a hook
      grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, pipeGraceMilliseconds);
    });
  }).catch((error: unknown) => {
    throw error instanceof HostError ? error : notStarted(file, cwd, error); // too many words, for one
  });

/** spawn(2) says ENOENT for a missing working folder, too. */
function notStarted(file: string, cwd = '.', error: unknown): HostError {
  const isMissing = isErrno(error, 'ENOENT', 'EACCES') && existsSync(cwd);
  const code = isMissing ? 'COMMAND_NOT_FOUND' : 'COMMAND_FAILED';
  return new HostError(code, `cannot run ${file}: ${String(error)}`, { cause: error });
}
