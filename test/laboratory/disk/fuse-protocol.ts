/**
 * As much of the FUSE protocol (linux/fuse.h, version 7.36) as one regular file needs that a loop device lies on: what the
 * kernel asks, read from the bytes of a request, and the answers as bytes. All numbers are little-endian.
 */
const largestTransfer = 1 << 20;
/** A request with data is longer than its data by less than this. */
export const requestBytes = largestTransfer + 4096;

const inHeaderBytes = 40;
const outHeaderBytes = 16;
const rootInode = 1;
const attributeSeconds = 3600;

const opcodes = new Map([
  [2, 'forget'],
  [3, 'getattr'],
  [4, 'setattr'],
  [14, 'open'],
  [15, 'read'],
  [16, 'write'],
  [18, 'release'],
  [20, 'fsync'],
  [25, 'close'],
  [26, 'init'],
  [36, 'interrupt'],
  [38, 'destroy'],
  [42, 'forget'],
] as const);

export type Operation = typeof opcodes extends ReadonlyMap<number, infer Name> ? Name : never;

export interface Request {
  /** Undefined for what such a file need not do; the answer is ENOSYS. */
  operation: Operation | undefined;
  /** Names the request in its answer. */
  unique: bigint;
  /** Of a read or write, in bytes; else 0. */
  offset: number;
  length: number;
  /** What is to be written, a view into the request. */
  data: Buffer;
  maxReadahead: number;
  /** Of an init: what the kernel can do, 64 bits of it. */
  flags: bigint;
}

/** Reads one request, as one read(2) of /dev/fuse returns it. */
export function parseRequest(bytes: Buffer): Request {
  const operation = opcodes.get(bytes.readUInt32LE(4) as 2);
  const transfers = operation === 'read' || operation === 'write';
  const initialises = operation === 'init';
  const length = transfers ? bytes.readUInt32LE(inHeaderBytes + 16) : 0;
  return {
    operation,
    unique: bytes.readBigUInt64LE(8),
    offset: transfers ? Number(bytes.readBigUInt64LE(inHeaderBytes + 8)) : 0,
    length,
    data:
      operation === 'write'
        ? bytes.subarray(inHeaderBytes + 40, inHeaderBytes + 40 + length)
        : bytes.subarray(0, 0),
    maxReadahead: initialises ? bytes.readUInt32LE(inHeaderBytes + 8) : 0,
    flags: initialises ? flagsOf(bytes) : 0n,
  };
}

function flagsOf(bytes: Buffer): bigint {
  const [low, high] = [bytes.readUInt32LE(inHeaderBytes + 12), bytes.readUInt32LE(inHeaderBytes + 16)];
  return BigInt(low) | (BigInt(high) << 32n);
}

/** An answer: `body`, or a negative errno and nothing else. */
export function answer(unique: bigint, body: Buffer | number = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(outHeaderBytes);
  const failed = typeof body === 'number';
  header.writeUInt32LE(outHeaderBytes + (failed ? 0 : body.length), 0);
  header.writeInt32LE(failed ? body : 0, 4);
  header.writeBigUInt64LE(unique, 8);
  return failed ? header : Buffer.concat([header, body]);
}

const asyncRead = 1n << 0n;
const bigWrites = 1n << 5n;
const maxPages = 1n << 22n;
const extendedInit = 1n << 30n;
const passthrough = 1n << 37n;

/** Whether the kernel reads and writes a backing file by itself when it is told so (Linux 6.9). */
export function canPassThrough({ flags }: Request): boolean {
  return (flags & passthrough) !== 0n;
}

/** struct fuse_init_out: transfers of up to `largestTransfer`, no cache of written data. */
export function initBody({ flags, maxReadahead }: Request): Buffer {
  const body = Buffer.alloc(64);
  const pageBytes = 4096;
  const taken = flags & (asyncRead | bigWrites | maxPages | extendedInit | passthrough);
  body.writeUInt32LE(7, 0);
  body.writeUInt32LE(36, 4);
  body.writeUInt32LE(maxReadahead, 8);
  body.writeUInt32LE(Number(taken & 0xffffffffn), 12);
  body.writeUInt16LE(16, 16); // max_background
  body.writeUInt16LE(12, 18); // congestion_threshold
  body.writeUInt32LE(largestTransfer, 20);
  body.writeUInt32LE(1, 24); // time_gran
  body.writeUInt16LE(largestTransfer / pageBytes, 28);
  body.writeUInt32LE(Number(taken >> 32n), 32);
  body.writeUInt32LE(1, 36); // max_stack_depth: the backing file lies on an ordinary file system
  return body;
}

/** struct fuse_attr_out of the one file, `size` bytes long. */
export function attributesBody(size: number): Buffer {
  const body = Buffer.alloc(104);
  body.writeBigUInt64LE(BigInt(attributeSeconds), 0);
  body.writeBigUInt64LE(BigInt(rootInode), 16);
  body.writeBigUInt64LE(BigInt(size), 24);
  body.writeBigUInt64LE(BigInt(Math.ceil(size / 512)), 32);
  body.writeUInt32LE(0o100600, 76);
  body.writeUInt32LE(1, 80); // links
  body.writeUInt32LE(4096, 96); // blksize
  return body;
}

/** struct fuse_open_out with FOPEN_DIRECT_IO: each read and write of the loop device comes here as it is. */
export function openBody(): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(1, 8);
  return body;
}

/** struct fuse_open_out with FOPEN_PASSTHROUGH: the kernel reads and writes the file that was registered as `backing`. */
export function passthroughBody(backing: number): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(1 << 7, 8);
  body.writeInt32LE(backing, 12);
  return body;
}

/** struct fuse_write_out. */
export function writtenBody(length: number): Buffer {
  const body = Buffer.alloc(8);
  body.writeUInt32LE(length, 0);
  return body;
}
