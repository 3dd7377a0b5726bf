/**
 * Further threads for SHA-256, one less than there are processors. They start when they are needed, keep no idle program
 * alive, and need nothing of the disk but the file that they read: the program is a text of this file, so that they start
 * just as well after Node.js itself was replaced.
 */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';

export const hashBufferBytes = 256 * 1024;

/** Reads a descriptor of this process by position and answers with the sum, or with nothing if it cannot. */
const program = `
const { createHash } = require('node:crypto');
const { readSync } = require('node:fs');
const { parentPort } = require('node:worker_threads');
const buffer = Buffer.allocUnsafe(${hashBufferBytes});
parentPort.on('message', (descriptor) => {
  try {
    const hash = createHash('sha256');
    for (let position = 0, length = -1; length !== 0; position += length) {
      length = readSync(descriptor, buffer, 0, buffer.length, position);
      hash.update(buffer.subarray(0, length));
    }
    parentPort.postMessage(hash.digest('hex'));
  } catch {
    parentPort.postMessage(undefined);
  }
});`;

interface HashThread {
  worker: Worker;
  /** Who waits, in the order in which they asked. */
  waiting: ((sum: string | undefined) => void)[];
}

export class HashThreads {
  readonly #most: number | undefined;
  readonly #program: string;
  readonly #newWorker: (text: string) => Worker;
  #threads: HashThread[] = [];

  /** `most`: left out, one less than there are processors when the first one is needed. */
  constructor(most?: number, text = program, newWorker = startWorker) {
    [this.#most, this.#program, this.#newWorker] = [most, text, newWorker];
  }

  get count(): number {
    return this.#threads.length;
  }

  /**
   * Of all of an open file, whatever its position. Undefined where it cannot be had from a thread: it is to be hashed
   * here then, where a file that cannot be read tells why.
   */
  sha256(descriptor: number): Promise<string | undefined> {
    const thread = this.#leastBusy();
    if (!thread) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      thread.waiting.push(resolve);
      thread.worker.ref();
      thread.worker.postMessage(descriptor);
    });
  }

  /** The threads end; all who still wait get nothing. */
  end(): void {
    for (const thread of this.#threads) {
      void thread.worker.terminate();
      release(thread);
    }
    this.#threads = [];
  }

  /** Undefined on a machine with one processor, and where the kernel has no thread to give. */
  #leastBusy(): HashThread | undefined {
    const [least] = [...this.#threads].sort((a, b) => a.waiting.length - b.waiting.length);
    if (least?.waiting.length === 0 || this.#threads.length >= (this.#most ?? availableParallelism() - 1))
      return least;
    return this.#start() ?? least;
  }

  #start(): HashThread | undefined {
    const worker = this.#worker();
    if (!worker) return undefined;
    const thread: HashThread = { worker, waiting: [] };
    const gone = (): void => {
      this.#threads = this.#threads.filter((each) => each !== thread);
      release(thread);
    };
    worker.on('error', gone).on('exit', gone);
    worker.on('message', (sum: string | undefined) => {
      thread.waiting.shift()?.(sum);
      if (thread.waiting.length === 0) worker.unref();
    });
    this.#threads.push(thread);
    return thread;
  }

  /** A limit on tasks or memory (EAGAIN) is told by the constructor itself, and not as an event. */
  #worker(): Worker | undefined {
    try {
      return this.#newWorker(this.#program);
    } catch {
      return undefined;
    }
  }
}

/**
 * Not imported: what a start-up snapshot has loaded of it starts no thread. Since Node.js 20.16; without it there are none.
 */
function startWorker(text: string): Worker {
  const threads = process.getBuiltinModule('node:worker_threads');
  return new threads.Worker(text, { eval: true, execArgv: [] });
}

function release(thread: HashThread): void {
  for (const resolve of thread.waiting.splice(0)) resolve(undefined);
}
