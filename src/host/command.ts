/**
 * Short commands: run to the end, with the output in memory. For long ones that must never be killed see job.ts.
 *
 * A non-zero exit is a result, not an error. The output comes without its last newline. stdin is /dev/null or `input`.
 * Settles when the child *exits*, and at most `pipeGraceMilliseconds` later if something it left behind still holds
 * its output open (a daemon started by a hook must not hold us).
 *
 * Errors: `COMMAND_NOT_FOUND`; `COMMAND_FAILED` when it could not be started for another reason or ran over
 * `timeoutSeconds` (then it and all its descendants are ended).
 */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { HostError } from './host-error.js';
import { endProcessTree } from './process-tree.js';

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
}

export type RunCommand = (
  file: string,
  args: readonly string[],
  options?: CommandOptions,
) => Promise<CommandResult>;

const pipeGraceMilliseconds = 1000;
const endGraceSeconds = 2;
const outputLimitCharacters = 256 * 1024 * 1024;

export const runCommand: RunCommand = async (file, args, options = {}) => {
  const child = execa(file, args, {
    reject: false,
    maxBuffer: outputLimitCharacters,
    extendEnv: options.extendEnv ?? true,
    ...(options.env && { env: options.env }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  const letGo = (): void => {
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timers: NodeJS.Timeout[] = [];
  child.once('exit', () => timers.push(setTimeout(letGo, pipeGraceMilliseconds)));

  const deadline = options.timeoutSeconds === undefined ? undefined : { passed: false };
  const overTime = new Promise<never>((_, reject) => {
    const seconds = options.timeoutSeconds;
    if (deadline === undefined || seconds === undefined) return;
    const end = async (): Promise<void> => {
      deadline.passed = true;
      // execa's own timeout ends the direct child only, and then waits for its descendants' pipes
      if (child.pid !== undefined) await endProcessTree(child.pid, endGraceSeconds);
      letGo();
      reject(new HostError('COMMAND_FAILED', `${file} was ended: no result within ${seconds} s`));
    };
    timers.push(setTimeout(() => void end(), seconds * 1000));
  });

  try {
    const result = await Promise.race([child, overTime]);
    if (deadline?.passed) await overTime; // it has just died of our signal: that is no result of its own
    if (result.exitCode === undefined && result.signal === undefined) throw notStarted(file, result);
    return {
      exitCode: result.exitCode,
      signal: result.signal,
      stdout: result.stdout,
      stderr: result.stderr,
    };
  } finally {
    timers.forEach(clearTimeout);
  }
};

interface Failure {
  code?: string | undefined;
  cause?: unknown;
  cwd: string;
  originalMessage?: string | undefined;
}

function notStarted(file: string, failure: Failure): HostError {
  // spawn(2) says ENOENT for a missing working folder, too
  const missing = ['ENOENT', 'EACCES'].includes(failure.code ?? '') && existsSync(failure.cwd);
  const reason = failure.originalMessage ?? failure.code ?? 'unknown reason';
  return missing
    ? new HostError('COMMAND_NOT_FOUND', `cannot run ${file} in ${failure.cwd}: ${reason}`, {
        cause: failure.cause,
      })
    : new HostError('COMMAND_FAILED', `cannot run ${file}: ${reason}`, { cause: failure.cause });
}
