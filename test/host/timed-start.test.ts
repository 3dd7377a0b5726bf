import t from 'tap';
import { nextCalendarTime } from '../../src/host/calendar.js';
import type { RunCommand } from '../../src/host/command.js';
import { dropStarts, startAt } from '../../src/host/timed-start.js';

const start = { name: 'lab', service: 'lab.service', description: 'The time of the laboratory' };
const now = new Date('2026-11-20T15:00:00.400Z');

function recorder(stdout = '', exitCode = 0): { run: RunCommand; lines: string[] } {
  const lines: string[] = [];
  const run: RunCommand = (file, args) => {
    lines.push([file, ...args].join(' '));
    return Promise.resolve({ exitCode, signal: undefined, stdout, stderr: exitCode === 0 ? '' : 'no PID 1' });
  };
  return { run, lines };
}

void t.test(
  'a time to come is a calendar time, never before it; a near one is counted from now',
  async (t) => {
    const { run, lines } = recorder();
    await startAt(run, start, new Date('2026-11-21T02:54:59.200Z'), now);
    await startAt(run, start, new Date('2026-11-20T15:00:03Z'), now);
    await startAt(run, start, new Date('2026-11-20T14:00:00Z'), now);
    await dropStarts(run, start);
    t.match(
      lines[0],
      /^systemd-run .*--unit=lab-\w+ .*--on-calendar=2026-11-21 02:55:00 UTC .*systemctl start --no-block lab\.service$/,
    );
    t.match(lines[1], / --on-active=3s /);
    t.match(lines[2], / --on-active=1s /);
    t.equal(lines[3], 'systemctl stop lab-*.timer');
    await t.rejects(dropStarts(recorder('', 1).run, start), {
      code: 'COMMAND_FAILED',
      message: 'systemctl: no PID 1',
    });
  },
);

void t.test('a calendar expression is what systemd says it is', async (t) => {
  const here = '    Next elapse: Sat 2026-11-28 03:00:00 CET\n       (in UTC): Sat 2026-11-28 02:00:00 UTC\n';
  t.strictSame(await nextCalendarTime(recorder(here).run, 'Sat 03:00'), new Date('2026-11-28T02:00:00Z'));
  const utc = '    Next elapse: Sat 2026-11-28 03:00:00 UTC\n       From now: 6 days left\n';
  t.strictSame(await nextCalendarTime(recorder(utc).run, 'Sat 03:00'), new Date('2026-11-28T03:00:00Z'));
  t.equal(await nextCalendarTime(recorder('    Next elapse: never\n').run, '2020-01-01'), undefined);
  t.equal(await nextCalendarTime(recorder('', 1).run, 'soon'), undefined);
  t.equal(await nextCalendarTime(() => Promise.reject(new Error('missing')), 'soon'), undefined);
});
