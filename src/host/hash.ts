/**
 * SHA-256, as lower-case hex.
 *
 * Files are read as a stream and must be regular files themselves: a link, folder, pipe or device in their place is
 * `NOT_A_FILE`. Other errors: the system's own. Of several large files at once one is hashed here, the others on further
 * threads, a processor each; so much memory as a buffer for each is used, however large they are.
 */
import { createHash } from 'node:crypto';
import { constants, fstatSync, readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { hashBufferBytes, HashThreads } from './hash-threads.js';
import { HostError, isErrno } from './host-error.js';

const smallBytes = 64 * 1024;
/** Less is hashed sooner than a thread has started. */
const threadedBytes = 4 * 1024 * 1024;

/** How many are being hashed: large ones in all, and files on this thread. */
const now = { large: 0, here: 0 };
const sharedThreads = new HashThreads();

export async function sha256OfFile(path: string, threads = sharedThreads): Promise<string> {
  // O_NONBLOCK: the open of a pipe without writer would wait for ever
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    throw isErrno(error, 'ELOOP', 'ENXIO') ? notAFile(path) : error;
  });
  try {
    const found = fstatSync(file.fd);
    if (!found.isFile()) throw notAFile(path);
    // a way through the thread pool costs more than to read a small file, and there may be thousands
    if (found.size <= smallBytes) return createHash('sha256').update(readFileSync(file.fd)).digest('hex');
    return found.size < threadedBytes ? await sha256Here(file) : await sha256OfLarge(file, threads);
  } finally {
    await file.close();
  }
}

async function sha256OfLarge(file: FileHandle, threads: HashThreads): Promise<string> {
  now.large += 1;
  try {
    const elsewhere = now.here > 0 ? await threads.sha256(file.fd) : undefined;
    return elsewhere ?? (await sha256Here(file));
  } finally {
    now.large -= 1;
    if (now.large === 0) threads.end();
  }
}

async function sha256Here(file: FileHandle): Promise<string> {
  now.here += 1;
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(hashBufferBytes);
    for (let position = 0; ;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
  } finally {
    now.here -= 1;
  }
}

type SumOf = (path: string) => Promise<string>;

/** Several at a time, so that the disk has something to do while we hash. In the order of `paths`. */
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
  await Promise.all(Array.from({ length: Math.min(parallel, sums.size) }, worker));
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
