import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { onCleanup } from './cleanup.js';
import type { CommandOutput } from './command.js';
import { monotonicSeconds } from './container.js';
import { LaboratoryError } from './laboratory-error.js';

export interface EmulatorOptions {
  disk: string;
  /** UEFI: its code, and the file of its variables. */
  uefi?: { code: string; variables: string };
  /** Started by the emulator itself, instead of the boot loader from the disk. */
  kernel?: { kernel: string; initrd: string; words: string };
  /** What the machine reads in /sys/class/dmi/id/product_serial: which fault a test wants. */
  serial?: string;
}

export type EmulatorEnd = 'reboot' | 'poweroff' | 'killed' | 'timeout' | 'crashed';

const controlSequences = /\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\r/g;
const ends: Readonly<Record<string, EmulatorEnd>> = {
  'guest-reset': 'reboot',
  'guest-shutdown': 'poweroff',
};

/**
 * One emulated processor ran into the breakpoint with which another one was just patching the kernel's code: before PID 1, so that
 * nothing of the machine has begun. No processor does that, and QEMU does it more often the less of the host it gets.
 */
export function isEmulatorsFault(console: readonly string[]): boolean {
  return (
    console.some((line) => line.includes('Oops: int3')) &&
    !console.some((line) => /systemd\[1\]|Welcome to/.test(line))
  );
}

/**
 * One boot of a disk in QEMU, from the firmware to its end; a reboot ends it. A processor is emulated (`-accel tcg`), so
 * that it runs wherever the tests do. Commands go over the second serial port to the shell that grub-machine.ts puts there.
 */
export class Emulator {
  /** The lines of the first serial port without control sequences. */
  readonly console: string[] = [];
  readonly startedSeconds = monotonicSeconds();
  readonly exited: Promise<EmulatorEnd>;
  /** The shell in the machine is ready for commands; undefined when the boot ends before. */
  readonly ready: Promise<boolean>;
  #qemu: ChildProcess | undefined;
  #killed: 'killed' | 'timeout' | undefined;
  #reason = '';
  #shell: Socket | undefined;
  #answer: ((line: string) => void) | undefined;
  #waiters = new Set<(line: string) => void>();

  /** `folder` takes the sockets; there must be none of another boot in it. */
  constructor(folder: string, options: EmulatorOptions) {
    const sockets = join(folder, 'sockets');
    rmSync(sockets, { recursive: true, force: true });
    mkdirSync(sockets);
    const [monitor, shell] = [join(sockets, 'monitor'), join(sockets, 'shell')];
    const servers: Server[] = [];
    const listen = (path: string, onSocket: (socket: Socket) => void) =>
      new Promise<void>((resolve) => {
        const server = createServer((socket) => {
          onSocket(socket.on('error', () => undefined));
        });
        servers.push(server);
        server.listen(path, resolve);
      });
    let onReady: (ready: boolean) => void = () => undefined;
    this.ready = new Promise((resolve) => (onReady = resolve));
    const listening = Promise.all([
      listen(monitor, (socket) => {
        socket.write('{"execute":"qmp_capabilities"}\n');
        readLines(socket, (line) => {
          this.#reason = /"event": "SHUTDOWN".*"reason": "([a-z-]+)"/.exec(line)?.[1] ?? this.#reason;
        });
      }),
      listen(shell, (socket) => {
        this.#shell = socket;
        readLines(socket, (line) => {
          if (line.startsWith('lab-shell ready')) onReady(true);
          else if (line.startsWith('lab-result ')) this.#answer?.(line);
        });
      }),
    ]);
    const forget = onCleanup(() => {
      this.kill();
    });
    this.exited = listening
      .then(() => this.#run(argumentsOf(options, monitor, shell, join(folder, 'console.log'))))
      .finally(() => {
        for (const server of servers) server.close();
        forget();
        onReady(false);
      });
    this.exited.catch(() => undefined);
  }

  #run(args: readonly string[]): Promise<EmulatorEnd> {
    return new Promise((resolve, reject) => {
      const qemu = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
      this.#qemu = qemu;
      for (const stream of [qemu.stdout, qemu.stderr]) {
        readLines(stream, (line) => {
          this.console.push(line);
          for (const waiter of this.#waiters) waiter(line);
        });
      }
      qemu.on('error', (error) => {
        reject(new LaboratoryError(`cannot start QEMU: ${error.message}`));
      });
      qemu.on('close', () => {
        resolve(this.#killed ?? ends[this.#reason] ?? 'crashed');
      });
    });
  }

  /** Runs a script in the machine with a clean environment. It must be `ready`. Throws when the machine ends before it has. */
  async exec(script: string): Promise<CommandOutput> {
    const shell = this.#shell;
    if (!shell || this.#answer) throw this.failure('there is no shell in the machine, or it is busy');
    const answer = new Promise<string>((resolve) => (this.#answer = resolve));
    shell.write(`${Buffer.from(script).toString('base64')}\n`);
    const line = await Promise.race([answer, this.exited]);
    this.#answer = undefined;
    const [, code, stdout = '', stderr = ''] = line.split(' ');
    if (code === undefined) throw this.failure(`the machine ended (${line}) in the midst of: ${script}`);
    const text = (encoded: string) => Buffer.from(encoded.slice(1), 'base64').toString('utf8');
    return { exitCode: Number(code), signal: undefined, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Waits for a line of the console, also one that has been there already; undefined when the boot ends before. */
  async waitForConsole(match: RegExp): Promise<string | undefined> {
    const before = this.console.find((line) => match.test(line));
    if (before !== undefined) return before;
    return new Promise((resolve) => {
      const onLine = (line: string) => {
        if (!match.test(line)) return;
        this.#waiters.delete(onLine);
        resolve(line);
      };
      this.#waiters.add(onLine);
      const give = () => {
        resolve(undefined);
      };
      this.exited.then(give, give);
    });
  }

  /** SIGKILL: what the machine had not yet sent to its disk is lost; what it had sent stays, flushed or not. */
  kill(as: 'killed' | 'timeout' = 'killed'): void {
    this.#killed = as;
    this.#qemu?.kill('SIGKILL');
  }

  failure(what: string): LaboratoryError {
    return new LaboratoryError(`${what}; the end of its console:\n${this.console.slice(-60).join('\n')}`);
  }
}

function argumentsOf(options: EmulatorOptions, monitor: string, shell: string, log: string): string[] {
  const { disk, uefi, kernel, serial } = options;
  return [
    ...[
      '-accel',
      'tcg,thread=multi,tb-size=512',
      '-machine',
      'q35',
      '-cpu',
      'Nehalem',
      '-smp',
      '2',
      '-m',
      '1024',
    ],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-chardev', `stdio,id=console,signal=off,logfile=${log}`, '-serial', 'chardev:console'],
    ...['-chardev', `socket,id=shell,path=${shell}`, '-serial', 'chardev:shell'],
    ...['-chardev', `socket,id=monitor,path=${monitor}`, '-mon', 'chardev=monitor,mode=control'],
    // The disk outlives the machine, which may be killed, but not its host: nothing has to be flushed.
    ...['-drive', `if=none,id=disk,file=${disk},format=raw,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=disk', '-device', 'virtio-rng-pci'],
    ...(serial === undefined ? [] : ['-smbios', `type=1,serial=${serial}`]),
    ...(uefi
      ? [
          ...['-drive', `if=pflash,format=raw,readonly=on,file=${uefi.code}`],
          ...['-drive', `if=pflash,format=raw,file=${uefi.variables}`],
        ]
      : []),
    ...(kernel ? ['-kernel', kernel.kernel, '-initrd', kernel.initrd, '-append', kernel.words] : []),
  ];
}

function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(controlSequences, ''));
  });
}
