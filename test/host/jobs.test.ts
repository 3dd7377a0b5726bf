import t from 'tap';
import { readFileSync, readlinkSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startJob } from '../../src/host/job.js';
import { openStatusFile } from '../../src/host/status-file.js';

const path = { PATH: '/usr/bin:/bin' };

void t.test('a job writes straight to its file, has no input, and no environment but its own', async (t) => {
  process.env['HOST_TEST'] = 'ours';
  t.teardown(() => delete process.env['HOST_TEST']);
  const outputFile = join(t.testdir({ log: 'before\n' }), 'log');
  const script = 'echo out; echo err >&2; cat; echo "[$HOST_TEST$ONLY]"; pwd; exit 7';
  const job = startJob('sh', ['-c', script], { env: { ...path, ONLY: '1' }, outputFile, cwd: '/usr' });
  t.same(await job.exited, { exitCode: 7, signal: undefined });
  t.equal(readFileSync(outputFile, 'utf8'), 'before\nout\nerr\n[1]\n/usr\n');
  for await (const line of job.statusLines) t.fail(line);
});

void t.test('the output of a job is for root alone', async (t) => {
  const outputFile = join(t.testdir({}), 'log');
  await startJob('true', [], { env: path, outputFile }).exited;
  t.equal(statSync(outputFile).mode & 0o777, 0o600);
});

void t.test('invariant 10: a job leads a session of its own, away from the keyboard', async (t) => {
  const outputFile = join(t.testdir({}), 'log');
  const job = startJob('sh', ['-c', 'ps -o sid= -o tty= -p $$'], { env: path, outputFile });
  await job.exited;
  t.same(readFileSync(outputFile, 'utf8').trim().split(/\s+/), [String(job.pid), '?']);
});

void t.test(
  'status lines come while the job runs, whole, in order, with all that is left at its end',
  async (t) => {
    const folder = t.testdir({});
    const go = join(folder, 'go');
    const script = `printf 'first\\nsec' >&9; until [ -e ${go} ]; do sleep 0.01; done; echo ond >&9; seq 5000 >&9; printf tail >&9`;
    const job = startJob('bash', ['-c', script], { env: path, outputFile: join(folder, 'log'), statusFd: 9 });
    const lines: string[] = [];
    for await (const line of job.statusLines) {
      if (lines.length === 0) writeFileSync(go, ''); // proof that the first line came before the end
      lines.push(line);
    }
    t.same(lines.slice(0, 3), ['first', 'second', '1']);
    t.same(lines.slice(-2), ['5000', 'tail']);
    t.equal(lines.length, 5003);
    t.same(await job.exited, { exitCode: 0, signal: undefined });
  },
);

void t.test('a job ends for us when it exits, though a child holds its output and status open', async (t) => {
  const outputFile = join(t.testdir({}), 'log');
  const script = 'sleep 60 >&9 & echo $!; echo done >&9; exit 1';
  const job = startJob('bash', ['-c', script], { env: path, outputFile, statusFd: 9 });
  t.same(await job.exited, { exitCode: 1, signal: undefined });
  const lines: string[] = [];
  for await (const line of job.statusLines) lines.push(line);
  t.same(lines, ['done']);
  process.kill(Number(readFileSync(outputFile, 'utf8')), 'SIGKILL');
});

void t.test('a job that nobody reads the status of is never blocked', async (t) => {
  const outputFile = join(t.testdir({}), 'log');
  const job = startJob('bash', ['-c', 'head -c 1000000 /dev/zero >&5'], {
    env: path,
    outputFile,
    statusFd: 5,
  });
  t.same(await job.exited, { exitCode: 0, signal: undefined });
});

void t.test('what is written just before the end is read, and the file is gone', async (t) => {
  const status = openStatusFile();
  t.ok(process.getActiveResourcesInfo().includes('FSEventWrap'), 'the kernel tells of changes');
  t.match(readlinkSync(`/proc/self/fd/${status.fd}`), / \(deleted\)$/);
  writeSync(status.fd, 'one\ntwo');
  status.end();
  status.end();
  const lines: string[] = [];
  for await (const line of status.lines) lines.push(line);
  t.same(lines, ['one', 'two']);
});

void t.test('without a watch of the kernel the lines come all the same', async (t) => {
  const status = openStatusFile(undefined, () => {
    throw new Error('ENOSPC: no inotify watch left');
  });
  writeSync(status.fd, 'one\n');
  for await (const line of status.lines) {
    t.equal(line, 'one');
    status.end();
  }
});

void t.test('who looks now and then is not woken by each line, and misses none', async (t) => {
  const status = openStatusFile(1, () => {
    throw new Error('nothing is to be watched');
  });
  t.notOk(process.getActiveResourcesInfo().includes('FSEventWrap'));
  writeSync(status.fd, 'one\n');
  const lines: string[] = [];
  for await (const line of status.lines) {
    lines.push(line);
    if (line === 'one') writeSync(status.fd, 'two\nthr');
    else if (line === 'two') {
      writeSync(status.fd, 'ee');
      status.end();
    }
  }
  t.same(lines, ['one', 'two', 'three']);
});

void t.test('a job that cannot start says so at once', (t) => {
  const outputFile = join(t.testdir({}), 'log');
  t.throws(() => startJob('no-such-program', [], { env: path, outputFile, statusFd: 9 }), {
    code: 'COMMAND_NOT_FOUND',
  });
  t.end();
});
