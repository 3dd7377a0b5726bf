/**
 * A seccomp filter under which fsync(2), fdatasync(2), sync(2), syncfs(2), sync_file_range(2) and msync(2) with MS_SYNC
 * do nothing and say that they succeeded. Everything else is allowed, and so is everything of an architecture that it
 * does not know (a 32-bit ARM program on a 64-bit kernel): such a program only syncs for real.
 *
 * The bytes are an array of `struct sock_filter` for seccomp(2), little-endian: x86_64 with x32 and i386, aarch64.
 */
import { endianness } from 'node:os';

/** Numbers of the kernel's system call tables. */
interface CallTable {
  /** AUDIT_ARCH_* of linux/audit.h. */
  architecture: number;
  syncs: readonly number[];
  msync: number;
}

/** x32 has the numbers of x86_64 with bit 30 set, and its architecture. */
const tables: readonly CallTable[] = [
  // fsync, fdatasync, sync, sync_file_range, syncfs
  { architecture: 0xc000_003e, syncs: [74, 75, 162, 277, 306], msync: 26 }, // x86_64
  { architecture: 0x4000_0003, syncs: [118, 148, 36, 314, 344], msync: 144 }, // i386
  { architecture: 0xc000_00b7, syncs: [82, 83, 81, 84, 267], msync: 227 }, // aarch64
];

const withoutX32Bit = 0xbfff_ffff;
const MS_SYNC = 4;

// linux/bpf_common.h and linux/seccomp.h
const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_BIT = 0x45;
const RETURN = 0x06;
const ALLOWED = 0x7fff_0000;
/** SECCOMP_RET_ERRNO with error number 0: the call is not made, and returns 0. */
const DONE = 0x0005_0000;

/** Offsets in `struct seccomp_data`; of an argument the low word. */
const data = { number: 0, architecture: 4, msyncFlags: 32 } as const;

interface Instruction {
  code: number;
  /** Instructions to be skipped, at most 255. */
  ifTrue?: number;
  ifFalse?: number;
  value: number;
}

export function syncFilter(): Buffer {
  if (endianness() !== 'LE') throw new Error('the filter is written for little-endian machines');
  return Buffer.concat(
    [
      { code: LOAD_WORD, value: data.architecture },
      ...tables.flatMap(ofArchitecture),
      { code: RETURN, value: ALLOWED },
    ].map(encoded),
  );
}

/** Falls through to the next architecture with that still in the accumulator, or returns. */
function ofArchitecture({ architecture, syncs, msync }: CallTable): Instruction[] {
  const body: Instruction[] = [
    { code: LOAD_WORD, value: data.number },
    { code: AND, value: withoutX32Bit },
    // on to DONE, the last of all
    ...syncs.map((call, index) => ({
      code: JUMP_IF_EQUAL,
      value: call,
      ifTrue: syncs.length - index - 1 + 4,
    })),
    { code: JUMP_IF_EQUAL, value: msync, ifFalse: 2 },
    { code: LOAD_WORD, value: data.msyncFlags },
    { code: JUMP_IF_BIT, value: MS_SYNC, ifTrue: 1 },
    { code: RETURN, value: ALLOWED },
    { code: RETURN, value: DONE },
  ];
  return [{ code: JUMP_IF_EQUAL, value: architecture, ifFalse: body.length }, ...body];
}

function encoded({ code, ifTrue = 0, ifFalse = 0, value }: Instruction): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(ifTrue, 2);
  bytes.writeUInt8(ifFalse, 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
