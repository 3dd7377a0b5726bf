/**
 * The log of a recorded disk: every write and flush in the order in which the disk answered them. A flush is a promise:
 * each write before it is on the medium. What was written after the last flush lay in the disk's volatile cache, and
 * after a power cut any part of it may be there.
 *
 * On disk: 24 bytes a record (kind, offset, length, little-endian), and for a write its data.
 */
import { openSync, readSync, fstatSync, writevSync, closeSync, writeSync } from 'node:fs';

export interface DiskWrite {
  kind: 'write';
  /** Of the disk, in bytes. */
  offset: number;
  length: number;
  /** Of its data in the log file. */
  position: number;
}
export type DiskEvent = DiskWrite | { kind: 'flush' };

const headerBytes = 24;
const [writeKind, flushKind] = [1, 2];

/** Appends to a new log file. Synchronous, for one writer. */
export class DiskLogWriter {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'wx');
  }

  write(offset: number, data: Buffer): void {
    writevSync(this.#file, [header(writeKind, offset, data.length), data]);
  }

  flush(): void {
    writeSync(this.#file, header(flushKind, 0, 0));
  }

  close(): void {
    closeSync(this.#file);
  }
}

function header(kind: number | undefined, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.writeUInt32LE(kind ?? 0, 0);
  bytes.writeBigUInt64LE(BigInt(offset), 8);
  bytes.writeBigUInt64LE(BigInt(length), 16);
  return bytes;
}

/** A log that is complete. */
export class DiskLog {
  readonly events: readonly DiskEvent[];
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'r');
    const { size } = fstatSync(this.#file);
    const events: DiskEvent[] = [];
    const bytes = Buffer.alloc(headerBytes);
    for (let position = 0; position < size;) {
      readSync(this.#file, bytes, 0, headerBytes, position);
      position += headerBytes;
      const [offset, length] = [Number(bytes.readBigUInt64LE(8)), Number(bytes.readBigUInt64LE(16))];
      const kind = bytes.readUInt32LE(0);
      if (kind !== writeKind && kind !== flushKind)
        throw new RangeError(`no record at ${position} of ${path}`);
      events.push(kind === writeKind ? { kind: 'write', offset, length, position } : { kind: 'flush' });
      if (kind === writeKind) position += length;
    }
    this.events = events;
  }

  data({ position, length }: DiskWrite): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.#file, bytes, 0, length, position);
    return bytes;
  }

  /** For each text the number of the first write whose data holds it; those that never come are left out. */
  firstWritesWith(texts: readonly string[]): Map<string, number> {
    const found = new Map<string, number>();
    for (const [number, event] of this.events.entries()) {
      if (event.kind !== 'write' || found.size === texts.length) continue;
      const data = this.data(event);
      for (const text of texts) if (!found.has(text) && data.includes(text)) found.set(text, number);
    }
    return found;
  }

  close(): void {
    closeSync(this.#file);
  }
}
