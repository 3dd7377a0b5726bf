/**
 * A command that others have written (a hook, a check of the administrator's): it may start what it likes, and what runs over
 * `timeoutSeconds` is ended with all its descendants. All else is as in command.ts, which loads this when it is asked for: to
 * read the library would cost each start of ours 30 ms.
 *
 * Errors: HostError `COMMAND_NOT_FOUND`, `COMMAND_FAILED`.
 */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import type { RunCommand } from './command.js';
import { HostError } from './host-error.js';
import { endProcessTree } from './process-tree.js';

const pipeGraceMilliseconds = 1000;
const endGraceSeconds = 2;
const outputLimitCharacters = 256 * 1024 * 1024;

export const runCommandTree: RunCommand = async (file, args, options = {}) => {
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
