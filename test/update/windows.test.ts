import fc from 'fast-check';
import t from 'tap';
import { openingAfter, openingAt, windowSchema, type Window } from '../../src/update/windows.js';
import { clockAt, instantOf, isZone, zonedText } from '../../src/update/zoned-time.js';

const window = (from: string, to: string, more: Partial<Window> = {}): Window =>
  windowSchema.parse({ from, to, timezone: 'UTC', ...more });
const iso = (opening: { from: Date; to: Date } | undefined) =>
  opening && [opening.from.toISOString(), opening.to.toISOString()];

void t.test('a window of every day, before, in and after it', (t) => {
  const nightly = [window('02:00', '04:00')];
  const tonight = ['2026-11-21T02:00:00.000Z', '2026-11-21T04:00:00.000Z'];
  t.equal(openingAt(nightly, new Date('2026-11-21T01:59:59Z')), undefined);
  t.strictSame(iso(openingAfter(nightly, new Date('2026-11-21T01:59:59Z'))), tonight);
  t.strictSame(iso(openingAt(nightly, new Date('2026-11-21T02:00:00Z'))), tonight, 'its first instant');
  t.strictSame(iso(openingAt(nightly, new Date('2026-11-21T03:59:59Z'))), tonight);
  t.equal(openingAt(nightly, new Date('2026-11-21T04:00:00Z')), undefined, 'at its end it is over');
  t.equal(openingAfter([], new Date()), undefined);
  t.end();
});

void t.test('a window over midnight belongs to the day on which it begins', (t) => {
  const saturdays = [window('22:00', '02:00', { days: ['sat'] })];
  const opening = ['2026-11-21T22:00:00.000Z', '2026-11-22T02:00:00.000Z'];
  t.strictSame(iso(openingAt(saturdays, new Date('2026-11-22T01:00:00Z'))), opening, 'on Sunday');
  t.equal(openingAt(saturdays, new Date('2026-11-21T01:00:00Z')), undefined, 'not on Saturday before dawn');
  t.strictSame(
    iso(openingAfter(saturdays, new Date('2026-11-22T01:00:00Z')))?.[0],
    '2026-11-28T22:00:00.000Z',
  );
  t.end();
});

void t.test('windows that touch or overlap are one; from an hour to the same is a whole day', (t) => {
  const weekend = [
    window('22:00', '24:00', { days: ['sat'] }),
    window('00:00', '06:00', { days: ['sun'] }),
    window('05:00', '08:00', { days: ['sun'] }),
  ];
  t.strictSame(iso(openingAt(weekend, new Date('2026-11-21T23:00:00Z'))), [
    '2026-11-21T22:00:00.000Z',
    '2026-11-22T08:00:00.000Z',
  ]);
  t.strictSame(
    iso(openingAt([window('05:00', '05:00', { days: ['sun'] })], new Date('2026-11-23T04:00:00Z'))),
    ['2026-11-22T05:00:00.000Z', '2026-11-23T05:00:00.000Z'],
  );
  t.end();
});

void t.test('in the night in which the clock is set, the hours are those on the wall', (t) => {
  const prague = (from: string, to: string) => [window(from, to, { timezone: 'Europe/Prague' })];
  // 2026-03-29 02:00 CET is 03:00 CEST; 2026-10-25 03:00 CEST is 02:00 CET
  t.strictSame(
    iso(openingAfter(prague('01:00', '04:00'), new Date('2026-03-28T12:00:00Z'))),
    ['2026-03-29T00:00:00.000Z', '2026-03-29T02:00:00.000Z'],
    'an hour shorter',
  );
  t.strictSame(
    iso(openingAfter(prague('01:00', '04:00'), new Date('2026-10-24T12:00:00Z'))),
    ['2026-10-24T23:00:00.000Z', '2026-10-25T03:00:00.000Z'],
    'an hour longer',
  );
  t.strictSame(
    iso(openingAfter(prague('02:30', '03:30'), new Date('2026-03-28T12:00:00Z'))),
    ['2026-03-29T01:00:00.000Z', '2026-03-29T01:30:00.000Z'],
    'it begins when the clock jumps over its beginning',
  );
  t.strictSame(
    iso(openingAfter(prague('02:10', '02:50'), new Date('2026-03-28T12:00:00Z')))?.[0],
    '2026-03-30T00:10:00.000Z',
    'what lies in the hour that is left out does not open',
  );
  t.strictSame(
    iso(openingAfter(prague('02:15', '02:45'), new Date('2026-10-24T12:00:00Z'))),
    ['2026-10-25T00:15:00.000Z', '2026-10-25T00:45:00.000Z'],
    'of an hour that comes twice, the first',
  );
  t.end();
});

const zones = [
  'UTC',
  'Europe/Prague',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
];
const zone = fc.constantFrom(...zones);
const instant = fc
  .integer({ min: Date.UTC(2012, 1) / 60_000, max: Date.UTC(2037, 0) / 60_000 })
  .map((minutes) => new Date(minutes * 60_000));
const hour = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map((both) => both.map((number) => String(number).padStart(2, '0')).join(':'));
const days = fc.subarray(['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const, { minLength: 1 });
const anyWindow = fc.record({ days, from: hour, to: hour, timezone: zone });

void t.test('property: an instant is found again by what the clock shows', (t) => {
  fc.assert(
    fc.property(zone, instant, (zone, at) => {
      const found = instantOf(zone, clockAt(zone, at));
      // the first of two that show the same
      return (
        found <= at &&
        at.getTime() - found.getTime() <= 2 * 3600_000 &&
        zonedClock(zone, found) === zonedClock(zone, at)
      );
    }),
    { numRuns: 500 },
  );
  t.end();
});

void t.test(
  'property: far from a change of the clock a window is open exactly when the wall says so',
  (t) => {
    fc.assert(
      fc.property(anyWindow, instant, (window, at) => {
        const offset = (hours: number) => {
          const then = new Date(at.getTime() + hours * 3600_000);
          const { year, month, day, hour, minute } = clockAt(window.timezone, then);
          return Date.UTC(year, month - 1, day, hour, minute) - then.getTime();
        };
        fc.pre([-48, -24, 24, 48].every((hours) => offset(hours) === offset(0)));
        t.equal(openingAt([window], at) !== undefined, wallSaysOpen(window, at));
      }),
      { numRuns: 500 },
    );
    t.end();
  },
);

void t.test(
  'property: whatever the clock does, openings have a length, and the next one comes within two weeks',
  (t) => {
    // Days begin and end at other instants in each zone: where one looked no further ahead than the other, the time
    // in between was closed for it.
    const examples: [Window[], Date][] = [
      [
        [
          window('10:00', '10:00', { timezone: 'Pacific/Apia' }),
          window('20:01', '00:00', { days: ['sun', 'sat'] }),
        ],
        new Date('2018-09-01T00:00:00Z'),
      ],
      [
        [
          window('10:00', '10:00', { days: ['sun', 'tue', 'wed', 'thu', 'fri'], timezone: 'Pacific/Apia' }),
          window('00:00', '16:00', { days: ['sun', 'mon', 'tue', 'sat'], timezone: 'Asia/Kathmandu' }),
          window('00:00', '18:15', { days: ['mon', 'sat'] }),
        ],
        new Date('2019-01-27T18:15:00Z'),
      ],
    ];
    fc.assert(
      fc.property(fc.array(anyWindow, { minLength: 1, maxLength: 3 }), instant, (windows, at) => {
        const open = openingAt(windows, at);
        if (open) t.ok(open.from <= at && at < open.to);
        const next = openingAfter(windows, open ? open.to : at);
        // every minute of the week may be covered: then it is always open
        if (!next) return t.ok(open && open.to.getTime() - at.getTime() > 7 * 24 * 3600_000);
        t.ok(next.from > at && next.from < next.to);
        t.equal(openingAt(windows, new Date(next.from.getTime() - 1)), undefined, 'closed right before');
        return t.strictSame(openingAt(windows, next.from)?.from, next.from);
      }),
      { numRuns: 300, examples },
    );
    t.end();
  },
);

void t.test('a wrong window is told by what is wrong with it', (t) => {
  for (const wrong of [
    { from: '2:00', to: '03:00' },
    { from: '24:00', to: '03:00' },
    { from: '02:00', to: '03:00', timezone: 'Europe/Atlantis' },
    { from: '02:00', to: '03:00', days: [] },
    { from: '02:00', to: '03:00', days: ['Saturday'] },
    { from: '02:00' },
  ])
    t.notOk(windowSchema.safeParse(wrong).success, JSON.stringify(wrong));
  t.ok(isZone('local'));
  t.equal(zonedText(new Date('2026-11-22T02:00:00Z'), 'Europe/Prague'), 'Sun 2026-11-22 03:00 CET');
  t.end();
});

function zonedClock(zone: string, at: Date): string {
  return JSON.stringify(clockAt(zone, at));
}

/** Straight from the definition, with nothing but the clock on the wall. */
function wallSaysOpen({ days, from, to, timezone }: Window, at: Date): boolean {
  const { year, month, day, hour, minute } = clockAt(timezone, at);
  const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  const isOn = (number: number) => days.includes(names[(number + 7) % 7] ?? 'sun');
  const clock = [hour, minute].map((number) => String(number).padStart(2, '0')).join(':');
  if (from < to) return isOn(weekday) && from <= clock && clock < to;
  return (isOn(weekday) && from <= clock) || (isOn(weekday - 1) && clock < to);
}
