/**
 * SHA-256, as lower-case hex.
 *
 * Files are read as a stream and must be regular files themselves: a link, folder, pipe or device in their place is
 * `NOT_A_FILE`. Other errors: the system's own.
 */
import { createHash } from 'node:crypto';
import { constants, fstatSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { HostError, isErrno } from './host-error.js';

const smallBytes = 64 * 1024;

export async function sha256OfFile(path: string): Promise<string> {
  // O_NONBLOCK: the open of a pipe without writer would wait for ever
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    throw isErrno(error, 'ELOOP', 'ENXIO') ? notAFile(path) : error;
  });
  try {
    const found = fstatSync(file.fd);
    if (!found.isFile()) throw notAFile(path);
    const hash = createHash('sha256');
    // a way through the thread pool costs more than to read a small file, and there may be thousands
    if (found.size <= smallBytes) return hash.update(readFileSync(file.fd)).digest('hex');
    const buffer = Buffer.allocUnsafe(256 * 1024);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

/** Several at a time, so that the disk has something to do while we count. In the order of `paths`. */
export async function sha256OfFiles(
  paths: readonly string[],
  parallel = 4,
  sumOf = sha256OfFile,
): Promise<Map<string, string>> {
  const sums = new Map<string, string>(paths.map((path) => [path, '']));
  const queue = [...sums.keys()].values();
  const worker = async (): Promise<void> => {
    for (const path of queue) sums.set(path, await sumOf(path));
  };
  await Promise.all(Array.from({ length: Math.min(parallel, sums.size) }, worker));
  return sums;
}

export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function notAFile(path: string): HostError {
  return new HostError('NOT_A_FILE', `${path} is not a regular file`);
}
