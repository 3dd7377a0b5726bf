import { spawn } from 'node:child_process';
import { LaboratoryError } from './laboratory-error.js';

/** The end of a command. `exitCode` is undefined when a signal ended it. */
export interface CommandOutput {
  exitCode: number | undefined;
  signal: string | undefined;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** The whole environment of the command; the default is the one of this process. */
  env?: NodeJS.ProcessEnv;
  input?: string;
  cwd?: string;
  /** Throw unless the exit status is 0. Default true. */
  check?: boolean;
  timeoutSeconds?: number;
}

/** After the exit, the pipes may be held by a child that was left behind; this long they are still read. */
const drainMilliseconds = 250;
const defaultTimeoutSeconds = 120;

/**
 * Runs a command to its exit and collects its output. Throws LaboratoryError when it cannot be started, runs longer
 * than `timeoutSeconds` (default 120; it is killed then), or fails and `check` is not false.
 */
export function command(argv: readonly string[], options: CommandOptions = {}): Promise<CommandOutput> {
  const [file = '', ...args] = argv;
  const seconds = options.timeoutSeconds ?? defaultTimeoutSeconds;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: options.env ?? process.env, cwd: options.cwd, stdio: 'pipe' });
    const output: CommandOutput = { exitCode: undefined, signal: undefined, stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    // A command that does not read its input breaks the pipe; its exit status is what counts.
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    let draining: NodeJS.Timeout | undefined;
    const timeout = setTimeout(() => {
      child.kill('SIGKILL');
      finish(failure(argv, output, `still ran after ${seconds} s`));
    }, seconds * 1000);
    const finish = (error?: Error) => {
      clearTimeout(timeout);
      clearTimeout(draining);
      child.stdout.destroy();
      child.stderr.destroy();
      if (error) reject(error);
      else resolve(output);
    };
    const settle = () => {
      const ok = output.exitCode === 0 || options.check === false;
      finish(ok ? undefined : failure(argv, output, `ended with ${output.signal ?? output.exitCode ?? '?'}`));
    };
    child.on('error', (error) => {
      finish(new LaboratoryError(`cannot run ${file}: ${error.message}`, { cause: error }));
    });
    child.on('exit', (code, signal) => {
      output.exitCode = code ?? undefined;
      output.signal = signal ?? undefined;
      draining = setTimeout(settle, drainMilliseconds);
    });
    child.on('close', settle);
  });
}

function failure(argv: readonly string[], output: CommandOutput, what: string): LaboratoryError {
  return new LaboratoryError(`${argv.join(' ')}\n${what}\n${output.stdout}${output.stderr}`);
}

/** A string is a line for the shell, a list is run as it is. */
export function argvOf(line: string | readonly string[]): readonly string[] {
  return typeof line === 'string' ? ['/bin/sh', '-c', line] : line;
}

/** Joins a list to one line that the shell splits into the same list again. */
export function shellQuote(argv: readonly string[]): string {
  return argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
