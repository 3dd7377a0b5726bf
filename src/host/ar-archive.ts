/**
 * The archives of ar(5), as far as a package's file needs them: what is in one, and a copy in which the last member is
 * another one. Nothing is held in memory but headers and one buffer.
 *
 * Errors: HostError `NOT_AN_ARCHIVE`; the system's own.
 */
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { HostError } from './host-error.js';
import { writeAll } from './write-all.js';

export interface ArMember {
  name: string;
  /** Of its 60 bytes of header; its content follows at once. */
  headerOffset: number;
  sizeBytes: number;
}

const magic = '!<arch>\n';
const HEADER_BYTES = 60;
/** A package has three; whatever has more than this is none. */
const MOST_MEMBERS = 100;
const COPY_BYTES = 256 * 1024;
const MOST_BYTES = 9_999_999_999;

/** In their order. */
export async function arMembers(path: string): Promise<ArMember[]> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    if ((await bytesAt(file, 0, magic.length)).toString('latin1') !== magic) throw notAnArchive(path);
    const members: ArMember[] = [];
    for (let at = magic.length; at < size;) {
      const member = parseHeader(await bytesAt(file, at, HEADER_BYTES), at);
      if (!member || members.length === MOST_MEMBERS) throw notAnArchive(path);
      const end = at + HEADER_BYTES + member.sizeBytes;
      if (end > size) throw notAnArchive(path);
      members.push(member);
      at = end + (end % 2);
    }
    return members;
  } finally {
    await file.close();
  }
}

/**
 * Makes `to`, which must not be there, out of `from`: all before the last member byte for byte, then a member of this name
 * with what `write` writes to the end of the descriptor. What is written when an error comes is left to the caller.
 */
export async function withLastMember(
  from: string,
  to: string,
  last: ArMember,
  name: string,
  write: (descriptor: number) => Promise<unknown>,
): Promise<void> {
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const target = await open(to, 'wx', 0o644);
    try {
      await copyBytes(source, target, last.headerOffset);
      const header = await bytesAt(source, last.headerOffset, HEADER_BYTES);
      await target.write(header); // its place; the size is not known yet
      await write(target.fd);
      const { size } = await target.stat();
      const sizeBytes = size - last.headerOffset - HEADER_BYTES;
      await target.write(headerFor(header, name, sizeBytes), 0, HEADER_BYTES, last.headerOffset);
      if (sizeBytes % 2 === 1) await target.write('\n', size);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Undefined for what is no header. GNU's names end in a slash, those of dpkg do not. */
function parseHeader(bytes: Buffer, headerOffset: number): ArMember | undefined {
  const text = bytes.toString('latin1');
  const size = text.slice(48, 58);
  if (text.length !== HEADER_BYTES || !text.endsWith('`\n') || !/^\d+ *$/.test(size)) return undefined;
  return { name: text.slice(0, 16).replace(/\/? *$/, ''), headerOffset, sizeBytes: Number(size) };
}

/** With the times, owner and mode of the other one. */
function headerFor(other: Buffer, name: string, sizeBytes: number): Buffer {
  if (sizeBytes > MOST_BYTES || name.length > 16)
    throw new HostError('NOT_AN_ARCHIVE', `${name} is too large`);
  const between = other.toString('latin1', 16, 48);
  return Buffer.from(`${name.padEnd(16)}${between}${String(sizeBytes).padEnd(10)}\`\n`, 'latin1');
}

async function copyBytes(from: FileHandle, to: FileHandle, count: number): Promise<void> {
  for (let at = 0; at < count;) {
    const bytes = await bytesAt(from, at, Math.min(COPY_BYTES, count - at));
    if (bytes.length === 0) throw new HostError('NOT_AN_ARCHIVE', 'the file was cut while it was read');
    await writeAll(to.fd, bytes);
    at += bytes.length;
  }
}

/** Fewer at the end of the file. */
async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

function notAnArchive(path: string): HostError {
  return new HostError('NOT_AN_ARCHIVE', `${path} is no archive of ar(5)`);
}
