import t from 'tap';
import {
  bootTimesOf,
  readBootTimes,
  secondsUp,
  shutdownAskedAt,
  shutdownSeconds,
} from '../../src/host/boot-times.js';
import type { RunCommand } from '../../src/host/command.js';

const marks = (firmware: number, userspace: number, finish: number): string =>
  `FirmwareTimestampMonotonic=${firmware}\nKernelTimestampMonotonic=0\n` +
  `UserspaceTimestampMonotonic=${userspace}\nFinishTimestampMonotonic=${finish}`;

const saying =
  (...answers: string[]): RunCommand =>
  () =>
    Promise.resolve({ exitCode: 0, signal: undefined, stdout: answers.shift() ?? '', stderr: '' });

void t.test("the firmware's seconds lie before the kernel's", (t) => {
  t.strictSame(bootTimesOf(marks(6_500_000, 3_500_000, 12_500_000)), {
    beforeUserspaceSeconds: 10,
    userspaceSeconds: 9,
  });
  t.end();
});

void t.test('a container has the clock of its host: only its own seconds count', (t) => {
  t.strictSame(bootTimesOf(marks(0, 90_000_000_000, 90_002_000_000)), {
    beforeUserspaceSeconds: 0,
    userspaceSeconds: 2,
  });
  t.end();
});

void t.test(
  'a boot that has not come to its end says nothing, nor does a system without systemd',
  async (t) => {
    t.equal(bootTimesOf(marks(0, 3_000_000, 0)), undefined);
    t.equal(await readBootTimes(() => Promise.reject(new Error('no systemctl'))), undefined);
  },
);

void t.test('a shutdown takes from the request to the last row of the journal', async (t) => {
  const row = (microseconds: number): string => `{"__REALTIME_TIMESTAMP":"${microseconds}","MESSAGE":"x"}`;
  t.equal(await shutdownSeconds(saying(row(1_000_000), row(3_500_000)), '-1'), 2.5);
  t.equal(await shutdownSeconds(saying(''), '-1'), undefined, 'nobody asked: the power went');
  t.strictSame(await shutdownAskedAt(saying(row(2_000_000)), 'abc'), new Date(2000));
});

void t.test('journalctl is given the id of a boot as it knows it', async (t) => {
  const asked: (string | undefined)[] = [];
  const run: RunCommand = (_file, args) => {
    asked.push(args.find((word) => word.startsWith('--boot=')));
    return saying()('', []);
  };
  await shutdownAskedAt(run, 'db34b46f-9e69-469d-b1ef-08bdf7817329');
  await shutdownAskedAt(run, '-1');
  t.strictSame(asked, ['--boot=db34b46f9e69469db1ef08bdf7817329', '--boot=-1']);
});

void t.test(
  'of a boot with soft-reboots in it, the shutdown that was asked for before is told',
  async (t) => {
    const asked: string[] = [];
    const run: RunCommand = (_file, args) => {
      asked.push(...args.filter((word) => word.startsWith('--until=')));
      return saying()('', []);
    };
    await shutdownAskedAt(run, 'abc', new Date(1_700_000_000_250));
    t.strictSame(asked, ['--until=@1700000000.250']);
  },
);

void t.test(
  'how long it is up counts from its own systemd, and is not known where that says nothing',
  async (t) => {
    const now = () => 1000;
    t.equal(await secondsUp(saying('UserspaceTimestampMonotonic=940000000\n'), now), 60);
    t.equal(await secondsUp(saying('UserspaceTimestampMonotonic=0\n'), now), undefined);
    t.equal(await secondsUp(() => Promise.reject(new Error('no systemctl')), now), undefined);
  },
);
