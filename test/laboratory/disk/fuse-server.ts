/**
 * Serves the one file of a FUSE mount until it is unmounted: one request at a time, in the order in which they come. What
 * a request changes is done before it is answered, so that whoever waits for it goes on only then.
 */
import { readSync, writeSync } from 'node:fs';
import {
  answer,
  attributesBody,
  initBody,
  parseRequest,
  requestBytes,
  type Request,
} from './fuse-protocol.js';

/** The open /dev/fuse that the parent of a server hands to it. */
export const fuse = 3;
const unsupported = -38; // ENOSYS

export interface ServedFile {
  size: number;
  /** Returns the body of the answer. Those that are left out are answered with ENOSYS. */
  init?(request: Request): void;
  open(): Buffer;
  read?(offset: number, length: number): Buffer;
  write?(offset: number, data: Buffer): Buffer;
  flush(): void;
}

export function serve(file: ServedFile): void {
  const buffer = Buffer.alloc(requestBytes);
  for (let request = nextRequest(buffer); request; request = nextRequest(buffer)) {
    const body = answerTo(request, file);
    if (body !== undefined) writeSync(fuse, answer(request.unique, body));
  }
}

/** Undefined at the end of the mount. */
function nextRequest(buffer: Buffer): Request | undefined {
  for (;;) {
    try {
      return parseRequest(buffer.subarray(0, readSync(fuse, buffer)));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ENODEV') return undefined; // unmounted
      // Interrupted requests, as fuse(4) says: read again.
      if (code !== 'EINTR' && code !== 'ENOENT' && code !== 'EAGAIN') throw error;
    }
  }
}

function answerTo(request: Request, file: ServedFile): Buffer | number | undefined {
  switch (request.operation) {
    case 'forget':
    case 'interrupt':
      return undefined; // has no answer
    case 'init':
      file.init?.(request);
      return initBody(request);
    case 'getattr':
    case 'setattr':
      return attributesBody(file.size);
    case 'open':
      return file.open();
    case 'read':
      return file.read?.(request.offset, request.length) ?? unsupported;
    case 'write':
      return file.write?.(request.offset, request.data) ?? unsupported;
    case 'fsync':
      file.flush();
      return Buffer.alloc(0);
    case 'close':
    case 'release':
    case 'destroy':
      return Buffer.alloc(0);
    case undefined:
      return unsupported;
  }
}
