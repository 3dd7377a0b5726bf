/**
 * A RunCommand for short programs of the system that is in memory at once: what only asks or reads (`status`, a sync)
 * must not pay for loading the library behind command.ts, some 30 ms of a Node start. No input, no time limit.
 *
 * Errors: HostError `COMMAND_NOT_FOUND`.
 */
import { execFile } from 'node:child_process';
import type { RunCommand } from './command.js';
import { HostError, isErrno } from './host-error.js';

const outputLimitBytes = 256 << 20;

export const runShortCommand: RunCommand = (file, args, { env = {}, extendEnv = true, cwd } = {}) =>
  new Promise((resolve, reject) => {
    const options = {
      env: extendEnv ? { ...process.env, ...env } : env,
      maxBuffer: outputLimitBytes,
      ...(cwd !== undefined && { cwd }),
    };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (isErrno(error, 'ENOENT')) {
        reject(new HostError('COMMAND_NOT_FOUND', `${file} is not installed`, { cause: error }));
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
  });
