/**
 * Short commands: run to the end, with the output in memory. For long ones that must never be killed see job.ts.
 *
 * A non-zero exit is a result, not an error. The output comes without its last newline. stdin is /dev/null or `input`.
 * Settles when the child has ended and its output was read, and at most `pipeGraceMilliseconds` after its end if
 * something it left behind still holds its output open (a daemon started by a hook must not hold us).
 *
 * On child_process alone: a library for it took a third of what the update service loads before it can begin.
 *
 * Errors: `COMMAND_NOT_FOUND`; `COMMAND_FAILED` when it could not be started for another reason, printed more than
 * `outputLimitBytes` or ran over `timeoutSeconds` (then it and all its descendants are ended).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { HostError, isErrno } from './host-error.js';
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
const outputLimitBytes = 256 << 20;

export const runCommand: RunCommand = async (file, args, options = {}) => {
  const { input, timeoutSeconds } = options;
  const child = start(file, args, options);
  const letGo = (): void => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  const timers: NodeJS.Timeout[] = [];
  try {
    return await new Promise<CommandResult>((resolve, reject) => {
      let ending = false;
      /** What it prints and how it ends from now on is no result of its own. */
      const end = async (why: string): Promise<void> => {
        if (ending) return;
        ending = true;
        if (child.pid !== undefined) await endProcessTree(child.pid, endGraceSeconds);
        letGo();
        reject(new HostError('COMMAND_FAILED', `${file} was ended: ${why}`));
      };
      const tooMuch = (): void => void end(`it printed more than ${outputLimitBytes} bytes`);
      const [stdout, stderr] = [collect(child.stdout, tooMuch), collect(child.stderr, tooMuch)];
      child.once('error', (error) => {
        reject(notStarted(file, options.cwd, error));
      });
      child.once('exit', () => timers.push(setTimeout(letGo, pipeGraceMilliseconds)));
      child.once('close', (exitCode, signal) => {
        if (ending) return;
        resolve({
          exitCode: exitCode ?? undefined,
          signal: signal ?? undefined,
          stdout: stdout(),
          stderr: stderr(),
        });
      });
      if (timeoutSeconds !== undefined) {
        const over = (): void => void end(`no result within ${timeoutSeconds} s`);
        timers.push(setTimeout(over, timeoutSeconds * 1000));
      }
      child.stdin?.on('error', () => undefined); // it may end without having read
      child.stdin?.end(input);
    });
  } finally {
    timers.forEach(clearTimeout);
  }
};

function start(
  file: string,
  args: readonly string[],
  { env = {}, extendEnv = true, input, cwd }: CommandOptions,
): ChildProcess {
  try {
    return spawn(file, args, {
      env: extendEnv ? { ...process.env, ...env } : env,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(cwd !== undefined && { cwd }),
    });
  } catch (error) {
    throw notStarted(file, cwd, error); // too many words, for one
  }
}

/** All that the stream gave till then, as text without its last newline. */
function collect(stream: ChildProcess['stdout'], tooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > outputLimitBytes) tooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8').replace(/\n$/, '');
}

/** spawn(2) says ENOENT for a missing working folder, too. */
function notStarted(file: string, cwd: string | undefined, error: unknown): HostError {
  const reason = error instanceof Error ? error.message : String(error);
  const isMissing = isErrno(error, 'ENOENT', 'EACCES') && existsSync(cwd ?? '.');
  return isMissing
    ? new HostError('COMMAND_NOT_FOUND', `cannot run ${file}: ${reason}`, { cause: error })
    : new HostError('COMMAND_FAILED', `cannot run ${file}: ${reason}`, { cause: error });
}
