/**
 * A RunCommand for programs of the system that end by themselves, in memory at once: what asks or reads (`status`, a
 * plan, a sync) must not pay for loading the library behind command.ts, some 30 ms of a Node start. No input, and what
 * runs over `timeoutSeconds` is killed without its descendants; all else is as there.
 *
 * Errors: HostError `COMMAND_NOT_FOUND`, `COMMAND_FAILED`.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { RunCommand } from './command.js';
import { HostError, isErrno } from './host-error.js';

const outputLimitBytes = 256 << 20;
const pipeGraceMilliseconds = 1000;

export const runShortCommand: RunCommand = (
  file,
  args,
  { env = {}, extendEnv = true, cwd, timeoutSeconds } = {},
) =>
  new Promise((resolve, reject) => {
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
      if (child.pid === undefined || (child.exitCode === null && child.signalCode === null)) {
        reject(notStarted(file, cwd, error));
        return;
      }
      // The last newline is cut off, as command.ts does.
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
    child.stdin?.end();
    child.once('exit', () => {
      // what it left behind may hold its output open: a daemon started by a hook
      grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, pipeGraceMilliseconds);
    });
  });

/** spawn(2) says ENOENT for a missing working folder, too. */
function notStarted(file: string, cwd = '.', error: unknown): HostError {
  const isMissing = isErrno(error, 'ENOENT', 'EACCES') && existsSync(cwd);
  const code = isMissing ? 'COMMAND_NOT_FOUND' : 'COMMAND_FAILED';
  return new HostError(code, `cannot run ${file}: ${String(error)}`, { cause: error });
}
