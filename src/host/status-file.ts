/**
 * A file that one process writes lines to while another follows it, without a pipe between them.
 *
 * It has no name: it lives in /run (or the temporary folder) as long as a descriptor is open, so nothing is left
 * behind. The writer is never blocked and never gets SIGPIPE.
 */
import type { FSWatcher } from 'node:fs';
import { accessSync, closeSync, constants, openSync, readSync, unlinkSync, watch } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';

export interface StatusFile {
  /** For the child; opened for appending. */
  fd: number;
  /** Every whole line, and at the end a last one without newline. One reader. */
  lines: AsyncIterable<string>;
  /** No more will be written: `lines` ends after what is there, and the descriptor is closed. */
  end(): void;
}

/**
 * `everyMilliseconds`: how often is looked for new lines; left out: as soon as the kernel tells of each. A package manager
 * writes hundreds of them in a second, and each wakes us, beside work that needs the processor itself.
 */
export function openStatusFile(everyMilliseconds?: number, watchPath: WatchPath = watch): StatusFile {
  const path = join(statusFolder(), `.status-${process.pid}-${randomBytes(6).toString('hex')}`);
  const { O_RDWR, O_APPEND, O_CREAT, O_EXCL } = constants;
  const fd = openSync(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL, 0o600);
  unlinkSync(path);
  const watcher = (onChange: () => void): (() => void) =>
    everyMilliseconds === undefined
      ? watchDescriptor(fd, watchPath, onChange)
      : lookAgain(everyMilliseconds, onChange);
  return follow(fd, watcher);
}

/** The part of fs.watch that is used here. */
export type WatchPath = (path: string, onChange: () => void) => FSWatcher;

const unwatchedMilliseconds = 200;

/** `watchFor` calls when there may be more, until what it returns is called. */
function follow(fd: number, watchFor: (onChange: () => void) => () => void): StatusFile {
  const decoder = new StringDecoder('utf8');
  const buffer = Buffer.alloc(64 * 1024);
  const waiting: string[] = [];
  let position = 0;
  let tail = '';
  let ended = false;
  let wake: () => void = () => undefined;

  const readOn = (): void => {
    for (;;) {
      const count = readSync(fd, buffer, 0, buffer.length, position);
      if (count === 0) break;
      position += count;
      const parts = (tail + decoder.write(buffer.subarray(0, count))).split('\n');
      tail = parts.pop() ?? '';
      waiting.push(...parts);
    }
    wake();
  };
  const stopWatching = watchFor(readOn);

  async function* lines(): AsyncGenerator<string> {
    for (;;) {
      const line = waiting.shift();
      if (line !== undefined) yield line;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }

  return {
    fd,
    lines: lines(),
    end() {
      if (ended) return;
      ended = true;
      stopWatching();
      readOn();
      if (tail !== '') waiting.push(tail);
      closeSync(fd);
      wake();
    },
  };
}

/** By descriptor, for there is no name. Where the kernel has no watch left for us, we look now and then. */
function watchDescriptor(fd: number, watchPath: WatchPath, onChange: () => void): () => void {
  try {
    const watcher = watchPath(`/proc/self/fd/${fd}`, onChange);
    watcher.on('error', () => undefined); // what was missed is read at the end
    return () => {
      watcher.close();
    };
  } catch {
    return lookAgain(unwatchedMilliseconds, onChange);
  }
}

function lookAgain(everyMilliseconds: number, onChange: () => void): () => void {
  const timer = setInterval(onChange, everyMilliseconds);
  return () => {
    clearInterval(timer);
  };
}

/** Memory rather than disk: progress must not stop because a file system is full. */
function statusFolder(): string {
  try {
    accessSync('/run', constants.W_OK);
    return '/run';
  } catch {
    return tmpdir();
  }
}
