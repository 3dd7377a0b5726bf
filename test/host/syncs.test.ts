import t from 'tap';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, type RunCommand } from '../../src/host/command.js';
import { HostError } from '../../src/host/host-error.js';
import { sparedCallsFilter } from '../../src/host/spared-calls.js';
import { whySyncsStay, withoutSyncs } from '../../src/host/without-syncs.js';

const x86_64 = 0xc000_003e;
const i386 = 0x4000_0003;
const aarch64 = 0xc000_00b7;
const x32Bit = 0x4000_0000;

/** What the kernel would make of the filter: the numbers of linux/filter.h, no more than the filter uses. */
function verdict(
  architecture: number,
  number: number,
  { second = 0, third = 0 } = {},
): 'done' | 'unsupported' | 'allowed' {
  const filter = sparedCallsFilter();
  const data: Record<number, number> = { 0: number, 4: architecture, 24: second, 32: third };
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const code = filter.readUInt16LE(at * 8);
    const value = filter.readUInt32LE(at * 8 + 4);
    const jump = (is: boolean): void => {
      at += filter.readUInt8(at * 8 + (is ? 2 : 3));
    };
    if (code === 0x20) accumulator = data[value] ?? NaN;
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x06 && value === 0x0005_0000) return 'done';
    else if (code === 0x06 && value === 0x0005_005f) return 'unsupported';
    else if (code === 0x06 && value === 0x7fff_0000) return 'allowed';
    else throw new Error(`code ${code.toString(16)}, value ${value.toString(16)}`);
  }
  throw new Error('the filter has no end');
}

const callsOf = [
  {
    name: 'x86_64',
    architecture: x86_64,
    syncs: [74, 75, 162, 277, 306],
    msync: 26,
    ioctl: 16,
    writes: [1, 18, 20],
  },
  {
    name: 'i386',
    architecture: i386,
    syncs: [118, 148, 36, 314, 344],
    msync: 144,
    ioctl: 54,
    writes: [4, 146, 181],
  },
  {
    name: 'aarch64',
    architecture: aarch64,
    syncs: [82, 83, 81, 84, 267],
    msync: 227,
    ioctl: 29,
    writes: [64, 66, 68],
  },
];
const FS_IOC_FIEMAP = 0xc020_660b;
const FICLONE = 0x4004_9409;
const numbers = Array.from({ length: 512 }, (_, number) => number);

for (const { name, architecture, syncs, msync, ioctl, writes } of callsOf) {
  void t.test(`${name}: exactly the syncs are only said to be done, and FIEMAP unsupported`, (t) => {
    const done = numbers.filter((number) => verdict(architecture, number) === 'done');
    t.strictSame(
      done,
      [...syncs].sort((a, b) => a - b),
    );
    for (const number of writes) t.equal(verdict(architecture, number), 'allowed');
    t.equal(verdict(architecture, msync, { third: 4 }), 'done', 'MS_SYNC');
    t.equal(verdict(architecture, msync, { third: 4 | 2 }), 'done', 'MS_SYNC | MS_INVALIDATE');
    t.equal(verdict(architecture, msync, { third: 1 }), 'allowed', 'MS_ASYNC');
    const second = FS_IOC_FIEMAP;
    t.strictSame(
      numbers.filter((number) => verdict(architecture, number, { second }) === 'unsupported'),
      [ioctl],
    );
    t.equal(verdict(architecture, ioctl, { second: FICLONE }), 'allowed', 'another ioctl');
    t.end();
  });
}

void t.test('x32 is known by its bit, and an unknown architecture is left alone', (t) => {
  t.equal(verdict(x86_64, 74 | x32Bit), 'done');
  t.equal(verdict(x86_64, 1 | x32Bit), 'allowed');
  t.equal(verdict(x86_64, 514 | x32Bit, { second: FS_IOC_FIEMAP }), 'allowed', 'its own ioctl');
  const arm = 0x4000_0028;
  for (const number of [118, 148, 36, 74]) t.equal(verdict(arm, number), 'allowed');
  t.end();
});

const notRoot = process.getuid?.() === 0 ? false : 'only root may put on a filter without no_new_privs';

/** fsync(2) of a descriptor that is not open tells whether the kernel has seen the call. */
const probe = 'print syscall(74, 99) == 0 ? "suppressed" : "real"';
const isX64 = process.arch === 'x64' ? false : 'the number of fsync in the probe is that of x86_64';

async function under(file: string, args: string[]): Promise<string> {
  const wrapped = withoutSyncs(file, args);
  const { stdout, stderr, exitCode } = await runCommand(wrapped.file, wrapped.args);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

void t.test('a real program under it', { skip: notRoot || isX64 }, async (t) => {
  const folder = t.testdir({});
  t.equal((await runCommand('perl', ['-e', probe])).stdout, 'real');
  t.equal(await under('perl', ['-e', probe]), 'suppressed');
  t.equal(await under('sh', ['-c', `true; perl -e '${probe}'; true`]), 'suppressed', 'its children, too');
  const file = join(folder, 'written');
  await under('sh', ['-c', `echo text >${file} && sync ${file} && sync`]);
  t.equal(readFileSync(file, 'utf8'), 'text\n', 'what it writes is written');
  t.match(
    await under('grep', ['-E', 'NoNewPrivs|Seccomp:', '/proc/self/status']),
    /NoNewPrivs:\s+0\nSeccomp:\s+2/,
    'setuid helpers still work',
  );
  t.equal(execFileSync('perl', ['-e', probe], { encoding: 'utf8' }), 'real', 'our own syncs are real');
});

void t.test('a real program is not told where a file lies', { skip: notRoot }, async (t) => {
  const file = join(t.testdir({ file: 'text\n' }), 'file');
  const asks = [
    '-e',
    `open my $file, "<", "${file}";
    my $map = pack("QQLLLLx56", 0, 4096, 0, 0, 1, 0);
    print ioctl($file, ${FS_IOC_FIEMAP}, $map) ? "told" : $!{EOPNOTSUPP} ? "unsupported" : $!`,
  ];
  const { stdout } = await runCommand('perl', asks);
  if (stdout === 'unsupported') {
    t.plan(0, 'the file system of this folder does not tell anybody');
    return;
  }
  t.equal(stdout, 'told', 'without the filter');
  t.equal(await under('perl', asks), 'unsupported');
});

void t.test(
  'a program keeps its exit status, its process and its descriptors',
  { skip: notRoot },
  async (t) => {
    const { file, args } = withoutSyncs('sh', ['-c', 'echo "$1" >&2; exit 7', 'name', 'a word']);
    t.match(await runCommand(file, args), { exitCode: 7, stderr: 'a word' });
    const missing = withoutSyncs('no-such-program', []);
    t.match(await runCommand(missing.file, missing.args), {
      exitCode: 127,
      stderr: /cannot run no-such-program/,
    });
  },
);

void t.test('whether it can be had here is tried', { skip: notRoot }, async (t) => {
  t.equal(await whySyncsStay(runCommand), undefined);
  const refusing: RunCommand = () =>
    Promise.resolve({ exitCode: 125, signal: undefined, stdout: '', stderr: 'no seccomp filter: refused' });
  t.equal(await whySyncsStay(refusing), 'no seccomp filter: refused');
  const absent: RunCommand = () => Promise.reject(new HostError('COMMAND_NOT_FOUND', 'perl is not there'));
  t.equal(await whySyncsStay(absent), 'perl is not there');
});
