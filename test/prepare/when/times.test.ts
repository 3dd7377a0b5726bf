import fc from 'fast-check';
import t from 'tap';
import { decide, nextTime, nextWindow } from '../../../src/prepare/when/decide.js';
import { parseTime } from '../../../src/prepare/when/parse-time.js';
import { chooseTerm } from '../../../src/prepare/when/term.js';
import { windowSchema } from '../../../src/update/windows.js';

const now = new Date('2026-11-20T15:00:00Z');
const nightly = [windowSchema.parse({ from: '02:00', to: '04:00', timezone: 'UTC' })];

void t.test('times as people write them', async (t) => {
  const saturday = new Date('2026-11-28T02:00:00Z');
  const calendar = (text: string) => Promise.resolve(text === 'Sat 03:00' ? saturday : undefined);
  const read = async (text: string, zone = 'Europe/Prague') =>
    (await parseTime(text, { now, zone, calendar })).toISOString();
  for (const [text, at] of [
    ['03:00', '2026-11-21T02:00:00.000Z'],
    ['16:00', '2026-11-20T15:00:00.000Z'],
    ['16:01', '2026-11-20T15:01:00.000Z'],
    ['15:59', '2026-11-21T14:59:00.000Z'],
    ['today 22:30', '2026-11-20T21:30:00.000Z'],
    ['tomorrow 3:00', '2026-11-21T02:00:00.000Z'],
    ['2026-11-22 03:00', '2026-11-22T02:00:00.000Z'],
    ['2026-11-22T03:00:30', '2026-11-22T02:00:30.000Z'],
    ['2026-11-22T03:00:00Z', '2026-11-22T03:00:00.000Z'],
    ['2026-11-22T03:00:00.000Z', '2026-11-22T03:00:00.000Z'],
    ['2026-11-22 03:00 UTC', '2026-11-22T03:00:00.000Z'],
    ['2026-11-22T03:00+05:30', '2026-11-21T21:30:00.000Z'],
    ['2026-11-22 03:00 America/New_York', '2026-11-22T08:00:00.000Z'],
    ['2027-03-28 02:30', '2027-03-28T01:00:00.000Z'],
    ['+30min', '2026-11-20T15:30:00.000Z'],
    [' +1h  30min ', '2026-11-20T16:30:00.000Z'],
    ['+2hrs 3mins', '2026-11-20T17:03:00.000Z'],
    ['+2days', '2026-11-22T15:00:00.000Z'],
    ['Sat 03:00', '2026-11-28T02:00:00.000Z'],
  ] as const)
    t.equal(await read(text), at, text);
  for (const text of [
    '',
    'soon',
    '25:00',
    '2026-02-30 03:00',
    '2026-13-01 03:00',
    '2026-00-01 03:00',
    '2027-00-01 03:00',
    '+5ms',
    '+5ss',
    '+3',
    '+3parsecs',
    'tomorrow',
  ])
    await t.rejects(
      read(text),
      {
        code: 'USAGE',
        message: `"${text}" is not a time, or never comes`,
        hint: /trigger --at "tomorrow 03:00"/,
      },
      text,
    );
  await t.rejects(read('2026-11-20 15:59'), {
    code: 'USAGE',
    message: '"2026-11-20 15:59" has passed: it was Fri 2026-11-20 15:59 CET',
  });
  await t.rejects(read('today 03:00'), { code: 'USAGE', message: /has passed/ });
  for (const far of ['+53weeks', '+9999999days', '9999-12-31 03:00'])
    await t.rejects(read(far), { code: 'USAGE', message: `"${far}" is more than a year away` });
});

void t.test('property: whatever is typed, it is a time to come or a usage error', async () => {
  const typed = fc.oneof(
    fc.string(),
    fc.stringMatching(/^\+?[0-9]{1,4}[-: a-zT+]{1,3}[0-9]{0,2}[:a-z ]{0,4}[0-9]{0,2}$/),
  );
  await fc.assert(
    fc.asyncProperty(typed, async (text) => {
      const calendar = () => Promise.resolve(undefined);
      const at = await parseTime(text, { now, zone: 'UTC', calendar }).catch((error: unknown) => error);
      return at instanceof Date ? at >= now : (at as { code?: string }).code === 'USAGE';
    }),
  );
});

void t.test(
  'without windows the time holds for an hour, and for ever when the machine is to be idle',
  (t) => {
    const at = new Date('2026-11-21T03:00:00Z');
    const wish = { at, whenIdle: false, awaySeconds: 60 };
    t.strictSame(chooseTerm(wish, now, []), {
      at,
      until: new Date('2026-11-21T04:00:00Z'),
      isCramped: false,
    });
    t.strictSame(chooseTerm({ ...wish, whenIdle: true }, now, []).until, null);
    t.strictSame(chooseTerm({ whenIdle: false, awaySeconds: null }, now, []).at, now);
    t.end();
  },
);

void t.test('with windows it is now, in the next one, or in the next one that has room for it', (t) => {
  const soon = (awaySeconds: number | null, time: string) =>
    chooseTerm({ whenIdle: false, awaySeconds }, new Date(time), nightly);
  const tomorrow = { at: new Date('2026-11-21T02:00:00Z'), until: new Date('2026-11-21T04:00:00Z') };
  t.strictSame(soon(60, '2026-11-20T15:00:00Z'), { ...tomorrow, isCramped: false });
  t.match(soon(60, '2026-11-21T03:00:00Z'), { at: new Date('2026-11-21T03:00:00Z'), until: tomorrow.until });
  t.match(soon(7000, '2026-11-20T03:00:00Z'), { ...tomorrow, isCramped: false }, 'the rest is too short');
  t.match(
    soon(9000, '2026-11-21T03:00:00Z'),
    { at: new Date('2026-11-21T03:00:00Z'), isCramped: true },
    'all are',
  );
  t.match(soon(9000, '2026-11-20T15:00:00Z'), { ...tomorrow, isCramped: true });
  const wished = { at: new Date('2026-11-21T05:00:00Z'), whenIdle: false, awaySeconds: null };
  t.throws(() => chooseTerm(wished, now, nightly), {
    code: 'USAGE',
    message: /2026-11-21 \d\d:00 .* lies in no maintenance window/,
    hint: /the next one opens .* 2026-11-22/,
  });
  t.end();
});

void t.test('it is armed some minutes before, nobody has less notice, and too late is too late', (t) => {
  const facts = {
    scheduled: {
      at: '2026-11-21T03:00:00.000Z',
      until: '2026-11-21T03:30:00.000Z',
      whenIdle: false,
      awaySeconds: 600,
    },
    windows: [] as typeof nightly,
    noticeSeconds: 300,
    areOthers: true,
  };
  const at = (time: string, more: Partial<typeof facts> = {}) =>
    decide({ ...facts, ...more, now: new Date(`2026-11-21T${time}Z`) });
  const reboot = (time: string) => ({ do: 'arm', reboot: new Date(`2026-11-21T${time}Z`) });
  t.strictSame(at('02:54:59'), { do: 'wait', at: new Date('2026-11-21T02:55:00Z') });
  t.strictSame(at('02:55:00'), reboot('03:00:00'));
  t.strictSame(at('03:10:00'), reboot('03:15:00'), 'the notice');
  t.strictSame(at('03:10:00', { areOthers: false }), reboot('03:10:00'), 'nobody to be warned');
  t.strictSame(at('03:25:00'), { do: 'late' });
  t.strictSame(at('03:25:00', { areOthers: false }), reboot('03:25:00'));
  const idle = { scheduled: { ...facts.scheduled, whenIdle: true } };
  t.match(at('02:56:00', idle), { do: 'wait' });
  t.strictSame(at('02:57:00', { windows: nightly }), reboot('03:02:00'));
  t.strictSame(at('03:22:00', { areOthers: false }), reboot('03:22:00'), 'without windows it may last');
  t.strictSame(
    at('03:22:00', { areOthers: false, windows: nightly }),
    { do: 'late' },
    'too little of the window is left',
  );
  const long = { scheduled: { ...facts.scheduled, awaySeconds: 7200 }, areOthers: false, windows: nightly };
  t.strictSame(at('03:22:00', long), reboot('03:22:00'), 'no window would be long enough');
  t.strictSame(
    at('03:10:00', { windows: [windowSchema.parse({ from: '05:00', to: '06:00' })] }),
    { do: 'late' },
    'the policy changed',
  );
  t.end();
});

void t.test('an update that missed its window takes the one that is open by now', (t) => {
  const scheduled = {
    at: '2026-11-17T02:00:00.000Z',
    until: '2026-11-17T04:00:00.000Z',
    whenIdle: false,
    awaySeconds: 600,
  };
  const facts = { scheduled, windows: nightly, noticeSeconds: 300, areOthers: false };
  const tonight = { at: '2026-11-21T02:00:00.000Z', until: '2026-11-21T04:00:00.000Z' };
  const inside = new Date('2026-11-21T03:00:00Z');
  t.strictSame(decide({ ...facts, now: inside }), { do: 'late' }, 'the machine was off at its time');
  const again = nextWindow({ ...facts, now: inside });
  const look = new Date('2026-11-21T03:02:00Z');
  t.strictSame(again, { look, at: inside.toISOString(), until: tonight.until });
  t.equal(decide({ ...facts, now: look, scheduled: { ...scheduled, ...again } }).do, 'arm');
  const tomorrow = '2026-11-22T02:00:00.000Z';
  const later = (time: string) => nextWindow({ ...facts, now: new Date(`2026-11-21T${time}Z`) })?.at;
  t.equal(later('03:48:00'), '2026-11-21T03:48:00.000Z', 'it ends with the window');
  t.equal(later('03:48:01'), tomorrow, 'without room in it, the next');
  const warned = { ...facts, areOthers: true, now: new Date('2026-11-21T03:44:00Z') };
  t.equal(nextWindow(warned)?.at, tomorrow, 'nor with room for the update alone, and not for the notice');
  const missedInIt = { ...facts, now: inside, scheduled: { ...scheduled, ...tonight } };
  t.equal(nextWindow(missedInIt)?.at, tomorrow, 'the very window that it missed is not tried again');

  const always = [windowSchema.parse({ from: '00:00', to: '24:00', timezone: 'UTC' })];
  const { until } = nextWindow({ ...facts, windows: always, now: inside }) ?? {};
  t.ok(until && Date.parse(until) > inside.getTime() + 7 * 24 * 3600_000, 'a window without an end has none');
  t.end();
});

void t.test('what may pass is looked at again soon, else in the next window', (t) => {
  const scheduled = {
    at: '2026-11-21T02:00:00.000Z',
    until: '2026-11-21T04:00:00.000Z',
    whenIdle: false,
    awaySeconds: 600,
  };
  const facts = (time: string, windows = nightly) => ({
    ...{ scheduled, windows, noticeSeconds: 300, areOthers: false },
    now: new Date(`2026-11-21T${time}Z`),
  });
  t.strictSame(nextTime(facts('03:00:00'))?.look, new Date('2026-11-21T03:02:00Z'));
  t.strictSame(nextTime(facts('03:59:00')), {
    look: new Date('2026-11-22T01:55:00Z'),
    at: '2026-11-22T02:00:00.000Z',
    until: '2026-11-22T04:00:00.000Z',
  });
  t.equal(nextTime(facts('03:59:00', [])), undefined, 'its only time is over');
  t.strictSame(
    nextTime(facts('01:55:00')),
    { look: new Date('2026-11-21T01:57:00Z'), at: scheduled.at, until: scheduled.until },
    'a look before the window opens is not too late',
  );
  t.strictSame(
    nextTime({ ...facts('03:55:00'), areOthers: true, scheduled: { ...scheduled, awaySeconds: null } })?.at,
    '2026-11-22T02:00:00.000Z',
    'with the notice the window would be closed',
  );
  t.strictSame(
    nextWindow(facts('01:59:00'))?.look,
    new Date('2026-11-21T02:01:00Z'),
    'never at once, also when the window is about to open',
  );
  t.equal(nextWindow(facts('03:00:00', [])), undefined);
  t.end();
});
