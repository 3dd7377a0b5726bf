import t from 'tap';
import { estimateAway, pastAways, type EstimateFacts } from '../../src/prepare/estimate.js';
import { buildReport } from '../../src/update/report.js';
import { measuredAway, totalSeconds } from '../../src/update/away.js';
import type { WayIn, WayOut } from '../../src/update/events.js';
import type { JournalRow } from '../../src/update/journal.js';
import type { UpdateStore } from '../../src/update/store.js';
import { emptyPlan } from '../fixtures/empty-plan.js';

const facts: EstimateFacts = {
  wayIn: 'reboot',
  action: 'reboot',
  rehearsal: {
    phases: [
      { phase: 'install', outcome: 'done', seconds: 10 },
      { phase: 'verify', outcome: 'done', seconds: 0.5 },
    ],
  },
  packages: 100,
  syncSeconds: 0.002,
  boot: { beforeUserspaceSeconds: 4, userspaceSeconds: 6 },
  shutdownSeconds: 3,
  history: [],
};

void t.test(
  'without history: the last shutdown, the present boot, the rehearsal and the syncs of this disk',
  (t) => {
    t.strictSame(estimateAway(facts), { downSeconds: 8, installSeconds: 13, upSeconds: 10 });
    const softly = estimateAway({ ...facts, wayIn: 'soft-reboot', action: 'soft-reboot' });
    t.strictSame(softly, { downSeconds: 4, installSeconds: 13, upSeconds: 6 }, 'no firmware, no kernel');
    const softlyIn = estimateAway({ ...facts, wayIn: 'soft-reboot' });
    t.strictSame(softlyIn, { downSeconds: 4, installSeconds: 13, upSeconds: 10 }, 'on the way in alone');
    t.end();
  },
);

void t.test('a machine of which nothing is known is taken for an ordinary one', (t) => {
  t.strictSame(estimateAway({ ...facts, boot: undefined, shutdownSeconds: undefined }), {
    downSeconds: 16,
    installSeconds: 13,
    upSeconds: 20,
  });
  t.end();
});

void t.test('each leg of a former update counts where it was a reboot of this kind', async (t) => {
  const row = (bootId: string, entry: object): JournalRow =>
    ({ at: '2026-11-20T15:00:00.000Z', bootId, entry }) as unknown as JournalRow;
  const journalOf = (claimedIn: string, left: string, seconds: number): JournalRow[] => [
    row('one', { event: 'armed' }),
    row(claimedIn, { event: 'claimed' }),
    row(claimedIn, { note: 'leaving', action: left }),
    row('last', { note: 'away', downSeconds: seconds, installSeconds: seconds, upSeconds: seconds }),
  ];
  const journals: Record<string, JournalRow[]> = {
    softly: journalOf('one', 'soft-reboot', 1),
    fully: journalOf('two', 'reboot', 2),
    kernel: journalOf('one', 'reboot', 3),
    unread: [],
  };
  const store = {
    ids: () => Promise.resolve(Object.keys(journals)),
    find: (id: string) => Promise.resolve({ journal: { rows: journals[id] } }),
  } as unknown as Pick<UpdateStore, 'ids' | 'find'>;
  const past = async (wayIn: WayIn, action: WayOut): Promise<unknown> =>
    (await pastAways(store, { wayIn, action })).map(({ away }) => [away.downSeconds, away.upSeconds]);
  t.strictSame(await past('soft-reboot', 'soft-reboot'), [
    [1, 1],
    [3, null],
  ]);
  t.strictSame(await past('reboot', 'reboot'), [
    [2, 2],
    [null, 3],
  ]);
  t.strictSame(await past('soft-reboot', 'reboot'), [
    [1, null],
    [null, 2],
    [3, 3],
  ]);
  const away = (downSeconds: number | null, upSeconds: number | null): EstimateFacts['history'][number] => ({
    estimate: null,
    away: { downSeconds, installSeconds: null, upSeconds },
  });
  const frequent = [away(5, null), away(6, null), away(7, null), away(100, null)];
  t.match(
    estimateAway({ ...facts, history: [...frequent, away(100, 240)] }),
    { downSeconds: 6, upSeconds: 240 },
    'three of each leg, however many others lie between',
  );
});

void t.test('what the last updates took is believed, and the install is corrected by their error', (t) => {
  const past = (install: number, down: number) => ({
    estimate: { downSeconds: 1, installSeconds: 10, upSeconds: 1 },
    away: { downSeconds: down, installSeconds: install, upSeconds: 30 },
  });
  t.strictSame(estimateAway({ ...facts, history: [past(12, 20), past(12, 22), past(900, 24)] }), {
    downSeconds: 22,
    installSeconds: 13 * 1.2,
    upSeconds: 30,
  });
  const [strange] = [past(900, 20)];
  t.equal(estimateAway({ ...facts, history: [strange] }).installSeconds, 26, 'at most twice');
  t.end();
});

const row = (at: number, bootId: string, entry: JournalRow['entry']): JournalRow => ({
  sequence: at,
  at: new Date(at * 1000).toISOString(),
  bootId,
  entry,
});

void t.test(
  'the truth lies between the request to shut down, the claim, the way out and the confirmation',
  (t) => {
    const rows = [
      row(50, 'first', { event: 'armed', planHash: 'x', action: 'reboot', trigger: '/system-update' }),
      row(109, 'second', { event: 'claimed', attempt: 1 }),
      row(136, 'second', { note: 'leaving', action: 'reboot', by: 'logind' }),
    ];
    const away = measuredAway(rows, new Date(100_000), new Date(148_000));
    t.strictSame(away, { downSeconds: 9, installSeconds: 27, upSeconds: 12 });
    t.equal(away && totalSeconds(away), 48);
    const unknown = measuredAway(rows, undefined, new Date(148_000));
    t.strictSame(unknown, { downSeconds: null, installSeconds: 27, upSeconds: 12 });
    t.equal(unknown && totalSeconds(unknown), null, 'half a truth is no sum');
    const twice = [
      ...rows.slice(0, 2),
      row(120, 'third', { event: 'claimed', attempt: 2 }),
      ...rows.slice(2),
    ];
    t.equal(measuredAway(twice, undefined, new Date(148_000)), undefined, 'an interrupted one is no measure');
    t.end();
  },
);

void t.test('a clock that was set back leaves no negative time, in the report neither', (t) => {
  const armed = row(50, 'first', {
    event: 'armed',
    planHash: 'x',
    action: 'reboot',
    trigger: '/system-update',
  });
  const claimed = row(109, 'second', { event: 'claimed', attempt: 1 });
  const left = (at: number): JournalRow =>
    row(at, 'second', { note: 'leaving', action: 'reboot', by: 'logind' });
  const measured = (at: number, now: number): unknown =>
    measuredAway([armed, claimed, left(at)], new Date(100_000), new Date(now * 1000));
  t.strictSame(measured(10, 20), { downSeconds: 9, installSeconds: null, upSeconds: 10 });
  t.strictSame(measured(136, 20), { downSeconds: 9, installSeconds: 27, upSeconds: null });
  t.equal(measuredAway([armed, claimed, left(10)], undefined, new Date(0)), undefined, 'nothing is known');
  const report = (at: number): number | null =>
    buildReport(emptyPlan(), [armed, claimed, left(at)], { name: 'none' }, { journal: '', terminal: '' })
      .awaySeconds;
  t.strictSame([report(136), report(10)], [27, null]);
  const past = {
    estimate: { downSeconds: 1, installSeconds: 10, upSeconds: 1 },
    away: { downSeconds: null, installSeconds: null, upSeconds: null },
  };
  t.strictSame(estimateAway({ ...facts, history: [past] }), estimateAway({ ...facts, history: [] }));
  t.end();
});
