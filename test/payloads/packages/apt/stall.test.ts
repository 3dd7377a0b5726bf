import t from 'tap';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { startJob } from '../../../../src/host/job.js';
import { stallWatch } from '../../../../src/payloads/packages/apt/stall-watch.js';
import { watchJob, type WatchedEnd } from '../../../../src/payloads/packages/apt/watched-job.js';
import { processTree } from '../../../../src/host/process-tree.js';

void t.test(
  'invariant 10: only silence of both progress and processes for the whole time is a stall',
  (t) => {
    let now = 0;
    const watch = stallWatch(10, () => now);
    const at = (seconds: number, act?: () => void): object | undefined => {
      now = seconds * 1000;
      act?.();
      return watch.verdict();
    };
    const idle = { cpuTicks: 5, ioBytes: 100 };
    t.equal(at(9.9), undefined);
    t.same(at(10), { seconds: 10, lastProgress: 'nothing yet' });
    t.equal(
      at(11, () => {
        watch.progress('Unpacking a');
      }),
      undefined,
    );
    t.equal(
      at(20, () => {
        watch.activity(idle);
      }),
      undefined,
      'the first look tells nothing',
    );
    t.same(
      at(21, () => {
        watch.activity(idle);
      }),
      { seconds: 10, lastProgress: 'Unpacking a' },
    );
    t.equal(
      at(22, () => {
        watch.activity({ ...idle, ioBytes: 101 });
      }),
      undefined,
      'disk use is life',
    );
    t.equal(
      at(31, () => {
        watch.activity({ cpuTicks: 1, ioBytes: 101 });
      }),
      undefined,
      'a process that ended is life, too',
    );
    t.same(at(41), { seconds: 10, lastProgress: 'Unpacking a' });
    watch.restart();
    t.equal(watch.verdict(), undefined);
    t.end();
  },
);

interface Watched extends WatchedEnd {
  log: string;
  stalls: string[];
}

async function watched(folder: string, script: string): Promise<Watched> {
  const outputFile = join(folder, 'log');
  const env = { PATH: process.env.PATH ?? '' };
  const job = startJob('sh', ['-c', script], { env, outputFile, statusFd: 9 });
  const stalls: string[] = [];
  const ports = {
    // of these processes alone, wherever the test runs
    readActivity: async () => {
      const tree = await processTree(job.pid);
      return { cpuTicks: tree.reduce((sum, one) => sum + one.cpuTicks, 0), ioBytes: 0 };
    },
    clock: () => performance.now(),
  };
  const end = await watchJob(job, ports, {
    stallTimeoutSeconds: 0.5,
    ownLevels: 1,
    onLine: (line) => line.toUpperCase(),
    onStall: (stall, ended) => stalls.push(`${stall.lastProgress}: ${ended}`),
  });
  return { ...end, log: readFileSync(outputFile, 'utf8'), stalls };
}

void t.test(
  'invariant 10: work and progress lines are both left alone, however long they take',
  async (t) => {
    const busy = "timeout 1.5 sh -c 'while :; do :; done'; exit 0";
    const telling = 'for i in 1 2 3 4 5; do echo "line $i" >&9; sleep 0.25; done';
    const folder = t.testdir({ busy: {}, telling: {} });
    const ends = await Promise.all([
      watched(join(folder, 'busy'), busy),
      watched(join(folder, 'telling'), telling),
    ]);
    for (const end of ends) t.match(end, { exitCode: 0, stall: undefined, stalls: [] });
  },
);

void t.test('invariant 10: a script that hangs is ended, and what started it goes on', async (t) => {
  const end = await watched(t.testdir(), 'echo first >&9; sleep 600; echo "sleep ended with $?"; exit 3');
  t.match(end, { exitCode: 3, signal: undefined, stalls: ['FIRST: scripts'], log: 'sleep ended with 143\n' });
  t.equal(end.stall?.lastProgress, 'FIRST');
});

void t.test('what hangs again, or has no script to be ended, is ended as a whole', async (t) => {
  const again = await watched(t.testdir(), 'sleep 600; sleep 600; exit 3');
  t.match(again, { signal: 'SIGTERM', stalls: ['nothing yet: scripts', 'nothing yet: package manager'] });
  const alone = await watched(t.testdir(), 'exec sleep 600');
  t.match(alone, { signal: 'SIGTERM', stalls: ['nothing yet: package manager'] });
});
