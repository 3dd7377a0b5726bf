/**
 * recorder.ts IMAGE LOG: the server of a recorded disk, a program of its own. File descriptor 3 is an open /dev/fuse that
 * its parent mounts on a file; the content of that file is the image, and each write and flush goes into the log, too.
 *
 * One request at a time, each answered only when it is in the image and the log: so the log is the order in which
 * whoever waits for a write or flush goes on. Ends, with status 0, when the file is unmounted.
 */
import { fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { DiskLogWriter } from './disk-log.js';
import {
  answer,
  attributesBody,
  initBody,
  openBody,
  parseRequest,
  requestBytes,
  writtenBody,
  type Request,
} from './fuse-protocol.js';

const fuse = 3;
const unsupported = -38; // ENOSYS

const [image = '', logPath = ''] = process.argv.slice(2);
const disk = openSync(image, 'r+');
const { size } = fstatSync(disk);
const log = new DiskLogWriter(logPath);
const buffer = Buffer.alloc(requestBytes);

function readRequest(): Request | undefined {
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

function serve(request: Request): Buffer | number | undefined {
  switch (request.operation) {
    case 'forget':
    case 'interrupt':
      return undefined; // has no answer
    case 'init':
      return initBody(request);
    case 'getattr':
    case 'setattr':
      return attributesBody(size);
    case 'open':
      return openBody();
    case 'read': {
      const data = Buffer.alloc(request.length);
      return data.subarray(0, readSync(disk, data, 0, request.length, request.offset));
    }
    case 'write':
      writeSync(disk, request.data, 0, request.length, request.offset);
      log.write(request.offset, request.data);
      return writtenBody(request.length);
    case 'fsync':
      log.flush();
      return Buffer.alloc(0);
    case 'close':
    case 'release':
    case 'destroy':
      return Buffer.alloc(0);
    case undefined:
      return unsupported;
  }
}

for (let request = readRequest(); request; request = readRequest()) {
  const body = serve(request);
  if (body !== undefined) writeSync(fuse, answer(request.unique, body));
}
log.close();
