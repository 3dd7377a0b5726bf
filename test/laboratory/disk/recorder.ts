/**
 * recorder.ts IMAGE LOG: the server of a recorded disk, a program of its own. File descriptor 3 is an open /dev/fuse that
 * its parent mounts on a file; the content of that file is the image, and each write and flush goes into the log, too.
 *
 * A request is answered only when it is in the image and the log: so the log is the order in which whoever waits for a
 * write or flush goes on. Ends, with status 0, when the file is unmounted.
 */
import { fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { DiskLogWriter } from './disk-log.js';
import { openBody, writtenBody } from './fuse-protocol.js';
import { serve } from './fuse-server.js';

const [image = '', logPath = ''] = process.argv.slice(2);
const disk = openSync(image, 'r+');
const log = new DiskLogWriter(logPath);

serve({
  size: fstatSync(disk).size,
  open: openBody,
  read(offset, length) {
    const data = Buffer.alloc(length);
    return data.subarray(0, readSync(disk, data, 0, length, offset));
  },
  write(offset, data) {
    writeSync(disk, data, 0, data.length, offset);
    log.write(offset, data);
    return writtenBody(data.length);
  },
  flush() {
    log.flush();
  },
});
log.close();
