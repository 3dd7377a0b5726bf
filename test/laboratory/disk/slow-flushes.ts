/**
 * slow-flushes.ts IMAGE MILLISECONDS: the server of a disk with slow flushes, a program of its own. The kernel itself reads
 * and writes the image (FUSE passthrough, Linux 6.9); only flushes come here: each is made, and answered no earlier than so
 * many milliseconds after it came. Ends, with status 0, when the file is unmounted.
 */
import { spawnSync } from 'node:child_process';
import { fdatasyncSync, fstatSync, openSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { canPassThrough, passthroughBody } from './fuse-protocol.js';
import { fuse, serve } from './fuse-server.js';

const [image = '', milliseconds = ''] = process.argv.slice(2);
const disk = openSync(image, 'r+');
const clock = new Int32Array(new SharedArrayBuffer(4));
let backing: number | undefined;
// A disk does not wait for a processor.
setPriority(constants.priority.PRIORITY_HIGHEST);

serve({
  size: fstatSync(disk).size,
  init(request) {
    if (!canPassThrough(request)) throw new Error('this kernel has no FUSE passthrough');
  },
  open() {
    backing ??= registerBacking();
    return passthroughBody(backing);
  },
  flush() {
    const end = performance.now() + Number(milliseconds);
    fdatasyncSync(disk);
    const rest = end - performance.now();
    if (rest > 0) Atomics.wait(clock, 0, 0, rest);
  },
});

/** FUSE_DEV_IOC_BACKING_OPEN of struct fuse_backing_map, by perl: Node.js has no ioctl. The number that it returns is 1 or more. */
function registerBacking(): number {
  const script = `
    open(my $fuse, "+<&=", ${fuse}) or die "open: $!";
    my $map = pack("lLQ", ${fuse + 1}, 0, 0);
    my $number = ioctl($fuse, 0x4010e501, $map) or die "ioctl: $!";
    print int($number)`;
  const { stdout, status, stderr } = spawnSync('perl', ['-e', script], {
    stdio: ['ignore', 'pipe', 'pipe', fuse, disk],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`no FUSE passthrough to the image: ${stderr}`);
  return Number(stdout);
}
