/**
 * SHA-256, as lower-case hex.
 *
 * Files must be regular files themselves: a link, folder, pipe or device in their place is `NOT_A_FILE`. Other errors: the
 * system's own. They are read piece by piece, as much memory as a buffer for each thread, however large they are; and by the
 * thread that hashes: what is hashed mostly lies in memory, and to wait for libuv's threads at each read takes as much of the
 * processors as to read and to hash.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { hashBufferBytes, HashThreads } from './hash-threads.js';
import { HostError, isErrno } from './host-error.js';

/** A large file; a smaller one is hashed here. */
const threadedBytes = 1024 * 1024;
/** Are hashed in the time that a thread takes to start, some 28 ms: who has done so much here, and has more, may well have one. */
const bytesBeforeThreads = 32 * 1024 * 1024;
/** After so much all others have their turn; to open a file and to close it takes as long as to hash some of it. */
const bytesInTurn = hashBufferBytes;
const bytesForFile = 16 * 1024;

/** What is hashed at the same time has its further threads in common; they end with the last of it. */
export class Hasher {
  readonly #threads: HashThreads;
  #files = 0;
  /** What this thread has hashed since there was none. */
  #bytesHere = 0;
  #largeHere = 0;
  /** Large files that wait for this thread, or for another one to be worth it. */
  #waiting: (() => void)[] = [];
  #bytesSinceTurn = 0;
  /** Enough for all files: nothing comes between a read and its hash. */
  #buffer: Buffer | undefined;

  constructor(threads = new HashThreads()) {
    this.#threads = threads;
  }

  /** Errors: those of this file. */
  sha256(path: string): Promise<string> {
    return this.together(async () => {
      const descriptor = openFile(path);
      try {
        const found = fstatSync(descriptor);
        if (!found.isFile()) throw notAFile(path);
        return await (found.size < threadedBytes
          ? this.#sha256Here(descriptor)
          : this.#sha256OfLarge(descriptor));
      } finally {
        closeSync(descriptor);
      }
    });
  }

  /** The threads stay until all of `hash` is done. */
  async together<T>(hash: () => Promise<T>): Promise<T> {
    this.#files += 1;
    try {
      return await hash();
    } finally {
      this.#files -= 1;
      if (this.#files === 0) {
        this.#bytesHere = 0;
        this.#threads.end();
      }
    }
  }

  async #sha256OfLarge(descriptor: number): Promise<string> {
    while (this.#largeHere > 0 && this.#bytesHere < bytesBeforeThreads)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const elsewhere = this.#largeHere > 0 ? await this.#threads.sha256(descriptor) : undefined;
    if (elsewhere !== undefined) return elsewhere;
    this.#largeHere += 1;
    try {
      return await this.#sha256Here(descriptor);
    } finally {
      this.#largeHere -= 1;
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #sha256Here(descriptor: number): Promise<string> {
    const buffer = (this.#buffer ??= Buffer.allocUnsafeSlow(hashBufferBytes));
    const hash = createHash('sha256');
    await this.#turnAfter(bytesForFile);
    for (let position = 0; ;) {
      const length = readSync(descriptor, buffer, 0, buffer.length, position);
      if (length === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, length));
      position += length;
      await this.#turnAfter(length);
    }
  }

  async #turnAfter(bytes: number): Promise<void> {
    this.#bytesHere += bytes;
    if (this.#bytesHere >= bytesBeforeThreads) this.#wake();
    this.#bytesSinceTurn += bytes;
    if (this.#bytesSinceTurn < bytesInTurn) return;
    this.#bytesSinceTurn = 0;
    await nextTurn();
  }
}

const shared = new Hasher();

export function sha256OfFile(path: string): Promise<string> {
  return shared.sha256(path);
}

function openFile(path: string): number {
  try {
    // O_NONBLOCK: the open of a pipe without writer would wait for ever
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw isErrno(error, 'ELOOP', 'ENXIO') ? notAFile(path) : error;
  }
}

type SumOf = (path: string) => Promise<string>;

/** Several at a time, so that there is one for each thread. In the order of `paths`. */
export async function sha256OfFiles(
  paths: readonly string[],
  parallel = 4,
  sumOf: SumOf = sha256OfFile,
): Promise<Map<string, string>> {
  const sums = new Map<string, string>(paths.map((path) => [path, '']));
  const queue = [...sums.keys()].values();
  const worker = async (): Promise<void> => {
    for (const path of queue) sums.set(path, await sumOf(path));
  };
  await shared.together(async () => {
    await Promise.all(Array.from({ length: Math.min(parallel, sums.size) }, worker));
  });
  return sums;
}

/**
 * Hashes files as they come, `parallel` at a time, in turn: a promise is made for each at once, and a file that is still
 * waiting has not been opened. A promise that nobody waits for may be rejected without harm.
 */
export function hashingInTurn(parallel = 4, sumOf: SumOf = sha256OfFile): (path: string) => Promise<string> {
  const waiting: (() => void)[] = [];
  let running = 0;
  const one = async (path: string): Promise<string> => {
    if (running >= parallel) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await sumOf(path);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
  return (path) => {
    const sum = one(path);
    sum.catch(() => undefined);
    return sum;
  };
}

export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function notAFile(path: string): HostError {
  return new HostError('NOT_A_FILE', `${path} is not a regular file`);
}
