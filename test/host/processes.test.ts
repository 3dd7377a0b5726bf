import t from 'tap';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readActivity } from '../../src/host/cgroup-activity.js';
import { runCommand } from '../../src/host/command.js';
import { endProcessTree, processTree, readProcessStat } from '../../src/host/process-tree.js';

const path = { PATH: '/usr/bin:/bin' };

/** Ends with our own input, so that nothing outlives the test; `ready` after its first line. */
async function shell(
  t: { teardown: (act: () => void) => void },
  script: string,
): Promise<ChildProcess & { pid: number }> {
  const child = spawn('bash', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child as ChildProcess & { pid: number };
}

for (const [whose, more] of [
  ['of the system', {}],
  ['that others have written', { withDescendants: true }],
] as const) {
  void t.test(
    `a command ${whose} gives its exit code and both outputs, without the last newline`,
    async (t) => {
      const result = await runCommand('sh', ['-c', 'printf "out\\n\\n"; echo err >&2; exit 3'], more);
      t.same(result, { exitCode: 3, signal: undefined, stdout: 'out\n', stderr: 'err' });
    },
  );

  void t.test(`a command ${whose} that a signal ended tells the signal`, async (t) => {
    const result = await runCommand('sh', ['-c', 'kill -KILL $$'], more);
    t.same(result, { exitCode: undefined, signal: 'SIGKILL', stdout: '', stderr: '' });
  });

  void t.test(`a command ${whose} reads its input, or nothing at all`, async (t) => {
    t.equal((await runCommand('cat', [], { ...more, input: 'text' })).stdout, 'text');
    t.equal((await runCommand('cat', [], more)).stdout, '');
    const unread = await runCommand('true', [], { ...more, input: 'x'.repeat(1 << 20) });
    t.same(unread, { exitCode: 0, signal: undefined, stdout: '', stderr: '' });
  });

  void t.test(`a command ${whose} has our environment and what is added, or that alone`, async (t) => {
    process.env['HOST_TEST'] = 'ours';
    t.teardown(() => delete process.env['HOST_TEST']);
    const ask = ['-c', 'echo $HOST_TEST$ADDED'];
    t.equal((await runCommand('sh', ask, { ...more, env: { ADDED: '+' } })).stdout, 'ours+');
    const alone = { ...more, env: { ...path, ADDED: '+' }, extendEnv: false };
    t.equal((await runCommand('sh', ask, alone)).stdout, '+');
  });

  void t.test(`a command ${whose}: a missing program and a missing folder are told apart`, async (t) => {
    await t.rejects(runCommand('no-such-program', [], more), {
      code: 'COMMAND_NOT_FOUND',
      message: /no-such-program .*ENOENT/,
    });
    await t.rejects(runCommand('/etc/passwd', [], more), { code: 'COMMAND_NOT_FOUND' });
    await t.rejects(runCommand('true', [], { ...more, cwd: '/no/such/folder' }), { code: 'COMMAND_FAILED' });
    const words = Array.from({ length: 40 }, () => 'x'.repeat(100_000));
    await t.rejects(runCommand('true', words, more), {
      code: 'COMMAND_FAILED',
      message: /^cannot run true: .*E2BIG/,
    });
  });

  void t.test(`a command ${whose}: what it left behind with our output open does not hold us`, async (t) => {
    const { stdout } = await runCommand('sh', ['-c', 'sleep 60 & echo $!'], more);
    process.kill(Number(stdout), 'SIGKILL'); // throws if it had not outlived the command
    t.match(stdout, /^\d+$/);
  });

  void t.test(`a command ${whose} that runs over its time is ended and told`, async (t) => {
    await t.rejects(runCommand('sleep', ['60'], { ...more, timeoutSeconds: 0.1 }), {
      code: 'COMMAND_FAILED',
      message: 'sleep was ended: no result within 0.1 s',
    });
  });
}

void t.test(
  'over its time a command that others have written is ended with all its descendants',
  async (t) => {
    const file = join(t.testdir({}), 'pid');
    const script = `sleep 60 & echo $! > ${file}; wait`;
    await t.rejects(runCommand('bash', ['-c', script], { timeoutSeconds: 0.3, withDescendants: true }), {
      code: 'COMMAND_FAILED',
      message: 'bash was ended: no result within 0.3 s',
    });
    const left = await readProcessStat(Number(readFileSync(file, 'utf8')));
    t.ok(left === undefined || left.state === 'Z', 'the descendant is gone');
  },
);

void t.test(
  'a tree is ended from the root, stubborn and stopped ones by force; others are left alone',
  async (t) => {
    const folder = t.testdir({});
    const outsider = await shell(t, 'echo ready; read line');
    const polite = `bash -c 'trap "touch ${folder}/told; exit" TERM; echo ready; while :; do sleep 0.01; done'`;
    const stopped = '(trap "" TERM; kill -STOP $BASHPID)';
    const child = await shell(
      t,
      `${stopped} & (trap "" TERM; sleep 60) & ${polite} & trap "" TERM; wait; wait`,
    );
    const members = await processTree(child.pid);
    t.equal(members[0]?.pid, child.pid);
    t.ok(members.length >= 4);
    await endProcessTree(child.pid, 0.3);
    for (const { pid } of members) {
      const now = await readProcessStat(pid);
      t.ok(now === undefined || now.state === 'Z', `process ${pid} is gone`);
    }
    t.ok(existsSync(join(folder, 'told')), 'SIGTERM came before SIGKILL');
    t.equal((await readProcessStat(outsider.pid))?.state, 'S');
    await endProcessTree(child.pid, 1); // not there any more: nothing to do
  },
);

void t.test('a process name with brackets and blanks does not shift the fields', async (t) => {
  const proc = t.testdir({
    '77': { stat: `77 (a) R (b c) S 1 77 77 0 -1 4194560 1 2 3 4 50 7 0 0 20 0 1 0 9000 ${'0 '.repeat(30)}` },
  });
  t.same(await readProcessStat(77, proc), { pid: 77, parent: 1, state: 'S', cpuTicks: 57, startTime: 9000 });
});

const stat = (pid: number, parent: number, cpu: number): string =>
  `${pid} (x) S ${parent} 1 1 0 -1 0 0 0 0 0 ${cpu} 1 0 0 20 0 1 0 5 ${'0 '.repeat(30)}`;
const io =
  'rchar: 1\nwchar: 20\nsyscr: 5000\nread_bytes: 300\nwrite_bytes: 4000\ncancelled_write_bytes: 90000\n';

void t.test(
  'invariant 10: activity sums the cgroup of the process, not ours and not its neighbours',
  async (t) => {
    const own = String(process.pid);
    for (const layout of ['', 'unified/']) {
      const root = t.testdir({
        proc: {
          '70': { stat: stat(70, 1, 10), io, cgroup: '1:cpu:/\n0::/system.slice/offline-update.service\n' },
          '71': { stat: stat(71, 1, 5), io },
          '72': { stat: stat(72, 1, 100_000), io },
          [own]: { stat: stat(process.pid, 1, 100_000), io },
        },
        cgroup: { [`${layout}system.slice`]: {} },
      });
      const folder = join(root, 'cgroup', layout, 'system.slice', 'offline-update.service');
      await runCommand('mkdir', ['-p', folder]);
      writeFileSync(join(folder, 'cgroup.procs'), `70\n71\n${own}\n73\n`);
      const source = { proc: join(root, 'proc'), cgroup: join(root, 'cgroup') };
      t.same(await readActivity(70, source), { cpuTicks: 17, ioBytes: 8642 }, layout);
    }
  },
);

void t.test('in the root cgroup the descendants count', async (t) => {
  const root = t.testdir({
    proc: {
      '70': { stat: stat(70, 1, 10), io, cgroup: '9:name=systemd:/\n0::/\n' },
      '71': { stat: stat(71, 70, 5), io },
      '72': { stat: stat(72, 71, 2) },
      '73': { stat: stat(73, 1, 1000), io },
    },
    cgroup: { 'cgroup.procs': '70\n71\n72\n73\n' },
  });
  const source = { proc: join(root, 'proc'), cgroup: join(root, 'cgroup') };
  t.same(await readActivity(70, source), { cpuTicks: 20, ioBytes: 8642 });
  t.same(await readActivity(99, source), { cpuTicks: 0, ioBytes: 0 });
});

void t.test('a process that works shows, one that waits does not', async (t) => {
  const child = await shell(t, 'echo ready; read line; echo $line; read line');
  const waiting = await readActivity(child.pid);
  t.same(await readActivity(child.pid), waiting);
  child.stdin?.write('text\n');
  if (child.stdout) await once(child.stdout, 'data');
  t.not((await readActivity(child.pid)).ioBytes, waiting.ioBytes);
});
