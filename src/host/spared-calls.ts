/**
 * A seccomp filter that spares a package manager what it does not need while all that it does can be thrown away. Under it
 *
 * - fsync(2), fdatasync(2), sync(2), syncfs(2), sync_file_range(2) and msync(2) with MS_SYNC do nothing and say that they
 *   succeeded;
 * - FS_IOC_FIEMAP of ioctl(2) is not supported, as on a file system that cannot tell where a file lies. dpkg would ask it
 *   for the list of files of every installed package, to read them in the order of the disk; and on btrfs, where small
 *   files lie in the tree and have no place of their own, again before each package.
 *
 * Everything else is allowed, and so is everything of an architecture that it does not know (a 32-bit ARM program on a
 * 64-bit kernel): such a program only syncs for real.
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
  ioctl: number;
}

/** x32 has the architecture of x86_64 and, with bit 30 set, its numbers of the syncs; the ioctl of x32 (514) is left alone. */
const tables: readonly CallTable[] = [
  // fsync, fdatasync, sync, sync_file_range, syncfs
  { architecture: 0xc000_003e, syncs: [74, 75, 162, 277, 306], msync: 26, ioctl: 16 }, // x86_64
  { architecture: 0x4000_0003, syncs: [118, 148, 36, 314, 344], msync: 144, ioctl: 54 }, // i386
  { architecture: 0xc000_00b7, syncs: [82, 83, 81, 84, 267], msync: 227, ioctl: 29 }, // aarch64
];

const withoutX32Bit = 0xbfff_ffff;
const MS_SYNC = 4;
/** linux/fs.h: _IOWR('f', 11, struct fiemap), a structure of 32 bytes. */
const FS_IOC_FIEMAP = 0xc020_660b;
const EOPNOTSUPP = 95;

// linux/bpf_common.h and linux/seccomp.h
const LOAD_WORD = 0x20;
const AND = 0x54;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_BIT = 0x45;
const RETURN = 0x06;
const SECCOMP_RET_ALLOW = 0x7fff_0000;
/** The call is not made, and fails with the error in the low bits, or returns 0 without one. */
const SECCOMP_RET_ERRNO = 0x0005_0000;

/** Offsets in `struct seccomp_data`; of an argument the low word. */
const data = { number: 0, architecture: 4, secondArgument: 24, thirdArgument: 32 } as const;

interface Instruction {
  name?: string;
  code: number;
  value: number;
  /** Where a jump leads: to the next instruction below that is called so; without a name, to the very next. */
  ifTrue?: string;
  ifFalse?: string;
}

export function sparedCallsFilter(): Buffer {
  if (endianness() !== 'LE') throw new Error('the filter is written for little-endian machines');
  const instructions: Instruction[] = [
    { code: LOAD_WORD, value: data.architecture },
    ...tables.flatMap(ofArchitecture),
    { name: 'architecture', code: RETURN, value: SECCOMP_RET_ALLOW },
  ];
  return Buffer.concat(instructions.map((each, index) => encoded(each, instructions.slice(index + 1))));
}

/** Goes on to the next architecture with that still in the accumulator, or returns. */
function ofArchitecture({ architecture, syncs, msync, ioctl }: CallTable): Instruction[] {
  return [
    { name: 'architecture', code: JUMP_IF_EQUAL, value: architecture, ifFalse: 'architecture' },
    { code: LOAD_WORD, value: data.number },
    { code: AND, value: withoutX32Bit },
    ...syncs.map((call) => ({ code: JUMP_IF_EQUAL, value: call, ifTrue: 'done' })),
    { code: JUMP_IF_EQUAL, value: ioctl, ifTrue: 'ioctl' },
    { code: JUMP_IF_EQUAL, value: msync, ifFalse: 'allowed' },
    { code: LOAD_WORD, value: data.thirdArgument },
    { code: JUMP_IF_BIT, value: MS_SYNC, ifTrue: 'done', ifFalse: 'allowed' },
    { name: 'ioctl', code: LOAD_WORD, value: data.secondArgument },
    { code: JUMP_IF_EQUAL, value: FS_IOC_FIEMAP, ifFalse: 'allowed' },
    { code: RETURN, value: SECCOMP_RET_ERRNO | EOPNOTSUPP },
    { name: 'done', code: RETURN, value: SECCOMP_RET_ERRNO },
    { name: 'allowed', code: RETURN, value: SECCOMP_RET_ALLOW },
  ];
}

/** Two bytes of code, two distances, four of value. */
function encoded({ code, value, ifTrue, ifFalse }: Instruction, below: readonly Instruction[]): Buffer {
  const distance = (wanted: string | undefined): number =>
    wanted === undefined ? 0 : below.findIndex(({ name }) => name === wanted);
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(code, 0);
  bytes.writeUInt8(distance(ifTrue), 2);
  bytes.writeUInt8(distance(ifFalse), 3);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}
