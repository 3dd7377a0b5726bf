import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { onCleanup } from './cleanup.js';
import type { CommandOptions, CommandOutput } from './command.js';
import { argvOf, command, shellQuote } from './command.js';
import { ControlGroup } from './control-group.js';
import { followLines } from './follow-lines.js';
import { LaboratoryError } from './laboratory-error.js';
import { containerLeader, processName, processesBeside } from './processes.js';

export interface ContainerOptions {
  /** The words of the kernel command line, as far as systemd reads them (`systemd.unit=rescue.target`). */
  words?: readonly string[];
  /** Further options of systemd-nspawn. */
  args?: readonly string[];
  /** Share the network of the host. Default false: there is only a loopback device. */
  network?: boolean;
  /** Control groups of version 2 alone, whatever the host has. Default: as on the host. */
  unifiedControlGroups?: boolean;
}

export interface ExecOptions extends Omit<CommandOptions, 'cwd' | 'env'> {
  /** Added to PATH, HOME, LANG and TERM, which are all that the command gets. */
  env?: Record<string, string>;
  /** Run it on a terminal of 80 columns; stdout and stderr are then one. */
  tty?: boolean;
}

const pollMilliseconds = 2;
const cleanEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
  TERM: 'dumb',
};
const controlSequences = /\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\r/g;

/** One boot of a root in systemd-nspawn, from its start to its end. A reboot ends it, a soft-reboot does not. */
export class Container {
  /** The lines of the console without control sequences. */
  readonly console: string[] = [];
  /** The start, on the monotonic clock that the journal of the container also uses. */
  readonly startedSeconds = monotonicSeconds();
  /** nspawn's exit status: 133 when a reboot was asked for, 0 at power off; undefined when a signal ended it. */
  readonly exited: Promise<number | undefined>;
  #nspawn: ChildProcess;
  #leader: number | undefined;
  #ended = false;
  #killed = false;
  #consoleWaiters = new Set<(line: string) => void>();

  constructor(root: string, name: string, options: ContainerOptions = {}) {
    // --keep-unit: nspawn exits on a reboot instead of starting again by itself.
    const fixed = [
      '--quiet',
      '--register=no',
      '--keep-unit',
      '--link-journal=no',
      '--boot',
      '--console=read-only',
    ];
    const network = options.network === true ? [] : ['--private-network'];
    const args = [...fixed, ...network, `--machine=${name}`, ...(options.args ?? []), `--directory=${root}`];
    const group = new ControlGroup(name);
    const [program = '', ...rest] = group.commandLine(['systemd-nspawn', ...args, ...(options.words ?? [])]);
    this.#nspawn = spawn(program, rest, {
      env: {
        ...process.env,
        // Without this, /tmp of the boot would be another one than that of `Machine.run` and `Machine.path`.
        SYSTEMD_NSPAWN_TMPFS_TMP: '0',
        ...(options.unifiedControlGroups === true && { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' }),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#nspawn;
    if (stdout) this.#readLines(stdout);
    if (stderr) this.#readLines(stderr);
    const forget = onCleanup(() => {
      this.kill();
    });
    this.exited = new Promise((resolve, reject) => {
      this.#nspawn.on('error', (error) => {
        this.#ended = true;
        reject(new LaboratoryError(`cannot start systemd-nspawn: ${error.message}`));
      });
      this.#nspawn.on('close', (code) => {
        this.#ended = true;
        group.remove();
        forget();
        resolve(code ?? undefined);
      });
    });
    this.exited.catch(() => undefined);
  }

  get killed(): boolean {
    return this.#killed;
  }

  #readLines(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const raw of lines) {
        const line = raw.replace(controlSequences, '');
        this.console.push(line);
        for (const waiter of this.#consoleWaiters) waiter(line);
      }
    });
  }

  /** The pid, seen from here, of the container's PID 1, once systemd runs in it. Throws when the boot ends before. */
  async leader(): Promise<number> {
    for (;;) {
      const pid = this.runningLeader();
      if (pid !== undefined) return pid;
      if (this.#ended) throw this.failure('the boot ended before systemd ran');
      await pause(pollMilliseconds);
    }
  }

  runningLeader(): number | undefined {
    if (this.#ended || this.#nspawn.pid === undefined) return undefined;
    if (this.#leader !== undefined) return this.#leader;
    const pid = containerLeader(this.#nspawn.pid);
    // Before it executes systemd, the process still has the root of the host.
    if (pid !== undefined && processName(pid) === 'systemd') this.#leader = pid;
    return this.#leader;
  }

  /** Runs a command in all namespaces of the container, with a clean environment. Ended by a signal, its status is 128 + the signal. */
  async exec(line: string | readonly string[], options: ExecOptions = {}): Promise<CommandOutput> {
    // env -i, because test runners add variables of their own to whatever this process starts.
    const variables = Object.entries({ ...cleanEnvironment, ...options.env }).map((pair) => pair.join('='));
    // The shell waits outside of the PID namespace for its child inside. nsenter would do so too, but stops itself for
    // ever when systemd-shutdown stops all processes, so that a shutdown in the middle of a command hangs.
    const enter = ['nsenter', `--target=${await this.leader()}`, '--all', '--no-fork', '--root', '--wd'];
    const wait = ['/bin/sh', '-c', '"$@"; exit $?', 'sh'];
    const inside = [...enter, '--', ...wait, '/usr/bin/env', '-i', ...variables, ...argvOf(line)];
    const onTerminal = ['script', '-qec', `stty cols 80 rows 24; exec ${shellQuote(inside)}`, '/dev/null'];
    return command(options.tty === true ? onTerminal : inside, options);
  }

  /** Waits for a line in a file of the container (see `followLines`); undefined when the boot ends before. */
  async waitForLine(file: string, match: (line: string) => boolean): Promise<string | undefined> {
    let found: string | undefined;
    const onLine = (line: string) => {
      if (match(line)) found ??= line;
      return found !== undefined;
    };
    const root = () => {
      const pid = this.runningLeader();
      return pid === undefined ? undefined : `/proc/${pid}/root`;
    };
    await followLines(root, file, onLine, () => this.#ended);
    return found;
  }

  /** Waits for a line of the console, also one that has been there already; undefined when the boot ends before. */
  async waitForConsole(match: (line: string) => boolean): Promise<string | undefined> {
    const before = this.console.find(match);
    if (before !== undefined || this.#ended) return before;
    return new Promise((resolve) => {
      const settle = (line?: string) => {
        this.#consoleWaiters.delete(onLine);
        resolve(line);
      };
      const onLine = (line: string) => {
        if (match(line)) settle(line);
      };
      this.#consoleWaiters.add(onLine);
      void this.exited.then(
        () => {
          settle();
        },
        () => {
          settle();
        },
      );
    });
  }

  /**
   * SIGKILL to the container's PID 1 and to all others in it. (To nspawn itself it would leave the whole container running;
   * after the end of PID 1 the kernel kills the others too, but only when that has closed its files: 50 ms later, in which
   * an update has installed four packages.) What was written stays, as after a kernel panic with an honest disk.
   */
  kill(): void {
    if (this.#ended) return;
    this.#killed = true;
    const pid = this.#nspawn.pid === undefined ? undefined : containerLeader(this.#nspawn.pid);
    if (pid === undefined) this.#nspawn.kill('SIGKILL');
    else endAll(() => processesBeside(pid));
  }

  /** Sends a signal to the container's PID 1; SIGINT is Ctrl-Alt-Del. */
  async signal(signal: NodeJS.Signals | number): Promise<void> {
    process.kill(await this.leader(), signal);
  }

  failure(what: string): LaboratoryError {
    return new LaboratoryError(`${what}; the end of its console:\n${this.console.slice(-60).join('\n')}`);
  }
}

/** Also those that one of them has started while they were listed. */
function endAll(list: () => readonly number[]): void {
  const ended = new Set<number>();
  for (let found = list(); found.some((pid) => !ended.has(pid)); found = list()) {
    for (const pid of found) {
      endProcess(pid);
      ended.add(pid);
    }
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

export function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}
