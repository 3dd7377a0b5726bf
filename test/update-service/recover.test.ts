import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { systemLog } from '../../src/host/system-log.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import type { Announcer } from '../../src/update/announce.js';
import type { JournalEntry, UpdateEvent } from '../../src/update/events.js';
import { markText, type NewMark } from '../../src/update/fallback-mark.js';
import type { Finding } from '../../src/update/finding.js';
import { pathsBelow, pathsOfUpdate } from '../../src/update/paths.js';
import { planText } from '../../src/update/plan.js';
import type { UpdateState } from '../../src/update/state.js';
import { updateStore } from '../../src/update/store.js';
import type { Ports } from '../../src/update-service/ports.js';
import { distrustSnapshot } from '../../src/update-service/distrust-snapshot.js';
import { recover } from '../../src/update-service/recover.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { nobodyListens, unused, unusedPayload, unusedPorts } from '../fixtures/service-ports.js';

const id = '20261120T154935-3f2a';
const plan = emptyPlan();

const armed: UpdateEvent = { event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' };
const claimed: UpdateEvent = { event: 'claimed', attempt: 1 };
const installing: UpdateEvent = { event: 'installing', attempt: 1, fallback: null };
const installed: UpdateEvent = { event: 'installed', attempt: 1 };
const decided: JournalEntry = {
  note: 'reverting',
  step: 'decided',
  reason: { code: 'HEALTH_FAILED', message: 'no database' },
};
const reverted: UpdateEvent = { event: 'reverted', reason: { code: 'INSTALL_FAILED', message: 'postinst' } };

interface Found {
  events: readonly JournalEntry[];
  /** Whether the events were written in the boot that recovers. */
  sameBoot?: boolean;
  rescued?: string;
  link?: 'trigger' | 'claimed';
  /** The next boot that goes to the update boot puts a copy back. */
  copyArmed?: boolean;
  /** What puts a copy back was begun, and nothing leads to it any more. */
  begun?: boolean;
  /** The update has its verdict, and nothing of it is under way. */
  closed?: boolean;
  findings?: Finding[] | Error;
  /** Installed again at its version. */
  again?: string[];
  /** Damaged, or of a later version. */
  planIsUnreadable?: boolean;
  staged?: boolean;
  mark?: NewMark;
  announce?: Announcer;
  /** A power cut in the midst of the removal of the stage: the plan went first. */
  stagedWithoutPlan?: boolean;
}

/** The machine as the ordinary boot finds it; tells what is left after `recover`. */
async function recovered(
  t: Test,
  found: Found,
): Promise<{ state: UpdateState; left: string[]; ports: Ports; told: string[] }> {
  const told: string[] = [];
  const root = t.testdir({ etc: {}, var: { lib: {} } });
  const paths = pathsBelow(root);
  const files = durableFiles(fileSystem);
  const at = (bootId: string) => ({
    paths,
    fs: fileSystem,
    files,
    moment: { now: () => new Date(0), bootId },
  });
  const before = updateStore(at(found.sameBoot ? 'now' : 'before'));
  const { journal } = await before.record(plan);
  for (const event of found.events) await journal.append(event);
  if (!found.closed) await before.markOpen(id);
  if (found.copyArmed) {
    mkdirSync(`${paths.fallbacks}/${id}`, { recursive: true });
    writeFileSync(`${paths.fallbacks}/${id}/brought.sum`, ''); // noted by another such boot
    symlinkSync(id, paths.copyArmed);
  }
  if (found.begun) {
    mkdirSync(`${paths.fallbacks}/${id}`, { recursive: true });
    writeFileSync(`${paths.fallbacks}/${id}/begun`, '');
  }
  if (found.planIsUnreadable) writeFileSync(pathsOfUpdate(paths, id).plan, '{"format":2}');
  if (found.rescued !== undefined) writeFileSync(paths.rescued, `before ${found.rescued}\n`);
  if (found.link)
    symlinkSync('/var/lib/system-update', paths.triggers[0] + (found.link === 'claimed' ? '.claimed' : ''));
  if (found.staged) {
    mkdirSync(paths.stage);
    writeFileSync(`${paths.stage}/plan.json`, planText(plan));
  }
  if (found.mark) writeFileSync(paths.fallbackMark, markText(found.mark));
  if (found.stagedWithoutPlan) mkdirSync(`${paths.stage}/packages`, { recursive: true });
  const ports: Ports = {
    ...unusedPorts,
    ...at('now'),
    ...(found.announce && { announce: found.announce }),
    store: updateStore(at('now')),
    payload: {
      ...unusedPayload,
      verify: () =>
        found.findings instanceof Error
          ? Promise.reject(found.findings)
          : Promise.resolve(found.findings ?? []),
      installedAgain: () => found.again ?? [],
      leftovers: () => Promise.resolve([]),
    },
    log: systemLog({ run: unused, output: { write: (text) => told.push(text) }, toJournal: false }),
  };
  await recover(ports);
  const links = paths.triggers.flatMap((trigger) => [trigger, `${trigger}.claimed`]);
  const left: string[] = [];
  for (const path of [...links, paths.open, paths.rescued, paths.stage]) {
    if (await fileSystem.lstat(path).catch(() => undefined)) left.push(path.slice(root.length));
  }
  return { state: (await ports.store.find(id)).journal.state, left, ports, told };
}

void t.test(
  'a verdict that was written down is told to who logs in, though the power went since',
  async (t) => {
    const heard: unknown[] = [];
    const announce: Announcer = {
      ...nobodyListens,
      again: (of, event) => heard.push([of, event]),
      rollback: (of) => heard.push(of),
    };
    const copy: NewMark = { id, provider: 'none', failedRoot: '' };
    for (const found of [
      { rescued: 'copy-restored', mark: copy },
      { link: 'claimed', copyArmed: true },
      {},
    ] as const) {
      await recovered(t, { events: [armed, claimed, installing, reverted], ...found, announce });
      t.strictSame(heard.splice(0), [[id, reverted]]);
    }
    await recovered(t, { events: [armed, claimed, installing], link: 'claimed', announce });
    t.strictSame(heard.splice(0), [], 'one without a verdict has said so');
    const confirmed: UpdateEvent = { event: 'confirmed' };
    await recovered(t, { events: [armed, claimed, installing, installed, confirmed], mark: copy, announce });
    t.equal(heard.at(-1), id, 'a rollback is the last that is heard');
  },
);

const broken = (check: string): Finding => ({ check, severity: 'block', evidence: check, remedy: '' });
const open = '/var/lib/offline-update/open';

const cases: [string, Found, object, string[]][] = [
  [
    'armed, and the trigger is gone: it never ran',
    { events: [armed] },
    { name: 'refused', reason: { code: 'TRIGGER_VANISHED' } },
    [],
  ],
  [
    'given up, and led past the boot that puts the copy back: the next one does',
    { events: [armed, claimed, installing, reverted], link: 'claimed', copyArmed: true },
    { name: 'reverted' },
    ['/system-update.claimed', open],
  ],
  [
    'a rollback to a copy, and led past its boot: the next one goes back',
    { events: [armed, claimed, installing, installed], closed: true, link: 'claimed', copyArmed: true },
    { name: 'installed' },
    ['/system-update.claimed'],
  ],
  [
    'the same, and another update was prepared before: the next boot goes back all the same',
    { events: [], staged: true, closed: true, link: 'claimed', copyArmed: true },
    { name: 'prepared' },
    ['/system-update.claimed', '/var/lib/system-update'],
  ],
  [
    'unhealthy, and led past the boot that puts the copy back: the next one does',
    { events: [armed, claimed, installing, installed, decided], link: 'claimed', copyArmed: true },
    { name: 'installed' },
    ['/system-update.claimed', open],
  ],
  [
    'proven, and the power went before its copy was put out of use: it stays installed',
    { events: [armed, claimed, installing, installed], link: 'claimed', copyArmed: true },
    { name: 'installed' },
    [open],
  ],
  [
    'armed, and the shell says that the early boot failed',
    { events: [armed], rescued: 'never-started' },
    { name: 'refused', reason: { code: 'EARLY_BOOT_FAILED' } },
    [],
  ],
  [
    'armed, claimed by the shell, and Node could not start',
    { events: [armed], rescued: 'nothing-changed' },
    { name: 'refused', reason: { code: 'SERVICE_CRASHED' } },
    [],
  ],
  [
    'armed in this very boot, and the trigger was removed by hand: a cancel',
    { events: [armed], sameBoot: true },
    { name: 'prepared' },
    [],
  ],
  [
    'a soft-reboot keeps the boot id, but the shell knows better',
    { events: [armed], sameBoot: true, rescued: 'never-started' },
    { name: 'refused', reason: { code: 'EARLY_BOOT_FAILED' } },
    [],
  ],
  [
    'armed, and the trigger was taken away since packages were changed',
    { events: [armed], sameBoot: true, rescued: 'packages-changed' },
    { name: 'stale', reason: { code: 'DRIFT' } },
    [],
  ],
  [
    'the same, behind what a power cut has left of a line of the shell',
    { events: [armed], sameBoot: true, rescued: 'packages-changed\nb408f665-2d0\n' },
    { name: 'stale', reason: { code: 'DRIFT' } },
    [],
  ],
  [
    'packages were changed after the early boot failed',
    { events: [armed], rescued: 'packages-changed\nbefore never-started' },
    { name: 'refused', reason: { code: 'EARLY_BOOT_FAILED' } },
    [],
  ],
  [
    'reverted was written down, and then the copy could not be put back',
    {
      events: [armed, claimed, installing, reverted],
      rescued: 'copy-not-restored',
      findings: [broken('dpkg-audit')],
    },
    { name: 'failed', reason: { code: 'SNAPSHOT_FAILED' }, healed: false },
    [],
  ],
  [
    'armed, and led past the update by the kernel command line: the next boot goes on',
    { events: [armed], link: 'trigger' },
    { name: 'armed' },
    ['/system-update', open],
  ],
  [
    'an interrupted attempt, and led past it: its link stays',
    { events: [armed, claimed, installing], link: 'claimed' },
    { name: 'installing' },
    ['/system-update.claimed', open],
  ],
  [
    'claimed, and the service died before it changed anything',
    { events: [armed, claimed] },
    { name: 'refused', reason: { code: 'SERVICE_CRASHED' } },
    [],
  ],
  [
    'an install that the shell finished is what the database says: installed, to be confirmed',
    { events: [armed, claimed, installing], rescued: 'rolled-forward' },
    { name: 'installed' },
    [open],
  ],
  [
    'what was to be installed again was there before: the shell did not finish it, so it has failed',
    { events: [armed, claimed, installing], rescued: 'roll-forward-failed', again: ['lab-good'] },
    { name: 'failed', healed: true },
    [],
  ],
  [
    'what was to be installed again, and nobody knows how the install ended',
    { events: [armed, claimed, installing], again: ['lab-good'] },
    { name: 'failed', healed: true },
    [],
  ],
  [
    'what was to be installed again is, where the shell finished it, at last',
    {
      events: [armed, claimed, installing],
      rescued: 'roll-forward-failed\nbefore rolled-forward',
      again: ['lab-good'],
    },
    { name: 'installed' },
    [open],
  ],
  [
    'without such a package the database alone tells that all is there',
    { events: [armed, claimed, installing], rescued: 'roll-forward-failed' },
    { name: 'installed' },
    [open],
  ],
  [
    'an install that is not all there has failed; the packages may be whole',
    { events: [armed, claimed, installing], findings: [broken('package-state')] },
    { name: 'failed', healed: true },
    [],
  ],
  [
    'an install that left the database broken says so',
    { events: [armed, claimed, installing], findings: [broken('package-state'), broken('dpkg-journal')] },
    { name: 'failed', healed: false },
    [],
  ],
  [
    'a package database that cannot be asked proves nothing, and is no reason to come to no verdict',
    { events: [armed, claimed, installing], findings: new Error('cannot run dpkg-query') },
    { name: 'failed', healed: false },
    [],
  ],
  [
    'a plan that cannot be read keeps no verdict from its end',
    { events: [armed], planIsUnreadable: true, rescued: 'nothing-changed' },
    { name: 'refused', reason: { code: 'SERVICE_CRASHED' } },
    [],
  ],
  [
    'a plan that cannot be read proves no install',
    { events: [armed, claimed, installing], planIsUnreadable: true },
    { name: 'failed', healed: false },
    [],
  ],
  [
    'a claimed link behind a verdict is dropped, and the mark of an open update with it',
    {
      events: [armed, claimed, { event: 'refused', reason: { code: 'DRIFT', message: 'x' } }],
      link: 'claimed',
    },
    { name: 'refused' },
    [],
  ],
  [
    'a mark and a stage left behind by a cut right after the confirmation are removed',
    { events: [armed, claimed, installing, installed, { event: 'confirmed' }], staged: true },
    { name: 'confirmed' },
    [],
  ],
  [
    'what a cut in the midst of the removal left of a confirmed stage is removed',
    {
      events: [armed, claimed, installing, installed, { event: 'confirmed' }],
      stagedWithoutPlan: true,
    },
    { name: 'confirmed' },
    [],
  ],
  ['a mark of an update that was never armed is only taken away', { events: [] }, { name: 'prepared' }, []],
];

for (const [what, found, state, left] of cases) {
  void t.test(what, async (t) => {
    const result = await recovered(t, found);
    t.match(result.state, state);
    t.strictSame(result.left, left);
  });
}

void t.test('a report that the power cut kept from being written is written by the next boot', async (t) => {
  const { ports } = await recovered(t, {
    events: [armed, claimed, installing, installed, { event: 'confirmed' }],
  });
  const report = pathsOfUpdate(ports.paths, id).report;
  t.match(JSON.parse(readFileSync(report, 'utf8')), { id, state: 'confirmed' });
});

void t.test('a mark of an update whose history was removed is only cleaned up', async (t) => {
  const { ports } = await recovered(t, { events: [] });
  const mark = ports.paths.fallbackMark;
  mkdirSync(dirname(mark), { recursive: true });
  writeFileSync(mark, markText({ id: '20200101T000000-0000', provider: 'none', failedRoot: '@x' }));
  const collected = { ...ports, snapshots: { ...noSnapshots, collect: () => Promise.resolve() } };
  await recover(collected);
  t.notOk(existsSync(mark));
});

const other = '20261121T000000-0000';

/** Two confirmed updates, and a mark that this root was set aside. */
async function recoveredMark(t: Test, mark: object, spoil?: (ports: Ports) => void): Promise<Ports> {
  const { ports } = await recovered(t, { events: confirmed, staged: true });
  const { journal } = await ports.store.record({ ...plan, id: other });
  for (const event of confirmed) await journal.append(event);
  const snapshots = { ...noSnapshots, collect: () => Promise.resolve() };
  spoil?.(ports);
  writeFileSync(
    ports.paths.fallbackMark,
    markText({ id, provider: 'none', failedRoot: '@x', ...(mark as { role: 'rollback' }) }),
  );
  await recover({ ...ports, snapshots });
  t.notOk(existsSync(ports.paths.fallbackMark));
  return { ...ports, snapshots };
}

const confirmed: UpdateEvent[] = [armed, claimed, installing, installed, { event: 'confirmed' }];

async function notesOf({ store }: Ports): Promise<object[]> {
  const found: object[] = [];
  for (const each of [id, other]) {
    const { journal } = await store.find(each);
    t.equal(journal.state.name, 'confirmed');
    for (const { entry } of journal.rows)
      if ('note' in entry && entry.note.startsWith('rolled')) found.push({ id: each, ...entry });
  }
  return found;
}

const rollback = '20261122T000000-0000';

void t.test('a rollback: what this root does not hold is noted beside its verdict, once', async (t) => {
  const ports = await recoveredMark(t, { role: 'rollback', rollback, holds: [id] });
  t.strictSame(await notesOf(ports), [{ id: other, note: 'rolled-back', rollback }]);
  t.notOk(existsSync(ports.paths.stage), 'a stage of a confirmed update is of no use');
  const again: NewMark = { id, provider: 'none', failedRoot: '@x', role: 'rollback', rollback, holds: [id] };
  writeFileSync(ports.paths.fallbackMark, markText(again));
  await recover(ports);
  t.equal((await notesOf(ports)).length, 1, 'cut before the mark was removed: not told twice');
  writeFileSync(ports.paths.fallbackMark, markText({ ...again, holds: [id, other] }));
  await recover(ports);
  t.strictSame((await notesOf(ports))[1], { id: other, note: 'rolled-forward', rollback });
});

void t.test(
  'what a later version wrote into the history does not keep a rollback from its end',
  async (t) => {
    const later = '20261121T000001-0000';
    const ports = await recoveredMark(t, { role: 'rollback', rollback, holds: [id] }, ({ paths }) => {
      writeFileSync(pathsOfUpdate(paths, other).plan, '{"format":2}');
      mkdirSync(pathsOfUpdate(paths, later).folder);
      writeFileSync(pathsOfUpdate(paths, later).journal, '{"entry":{"event":"yet-unknown"}}\n');
    });
    t.strictSame(await notesOf(ports), [{ id: other, note: 'rolled-back', rollback }]);
  },
);

void t.test(
  'the root from before a confirmed update boots, by hand or by a copy: all since then is back',
  async (t) => {
    t.strictSame(await notesOf(await recoveredMark(t, {})), [
      { id, note: 'rolled-back', rollback: id },
      { id: other, note: 'rolled-back', rollback: id },
    ]);
  },
);

void t.test(
  'a drill that was cut, or a root that was set aside and boots all the same, is no update',
  async (t) => {
    for (const role of ['drill', 'kept', 'failed'])
      t.strictSame(await notesOf(await recoveredMark(t, { role })), []);
  },
);

void t.test('a rollback whose other root is gone leaves no update under way', async (t) => {
  const mark: NewMark = { id, provider: 'none', failedRoot: '@x', role: 'rollback', rollback, holds: [] };
  const { state, left } = await recovered(t, { events: [armed, claimed], mark });
  t.match(state, { name: 'reverted', reason: { code: 'SNAPSHOT_FAILED' } });
  t.strictSame(left, []);
});

void t.test('a rollback that was not made, since the copy no longer fits, is told', async (t) => {
  const confirmed: UpdateEvent = { event: 'confirmed' };
  const events = [armed, claimed, installing, installed, confirmed];
  const { state, left, told } = await recovered(t, { events, rescued: 'copy-not-begun' });
  t.match([state, left], [{ name: 'confirmed' }, []]);
  t.strictSame(told, [
    'the way back was not taken, and nothing was changed: packages were changed after the update, the copy is damaged, or a file system that it is for is not there; next: offline-update status\n',
  ]);
});

void t.test(
  'a rollback that came to an end in its midst is told, though its update keeps its verdict',
  async (t) => {
    const confirmed: UpdateEvent = { event: 'confirmed' };
    const events = [armed, claimed, installing, installed, confirmed];
    const rescued = 'copy-not-restored\nbefore roll-forward-failed';
    const { state, left, told, ports } = await recovered(t, { events, closed: true, rescued, begun: true });
    t.match([state, left], [{ name: 'confirmed' }, []]);
    const restore = `${ports.paths.fallbacks}/${id}/restore`;
    t.strictSame(told, [
      `the copy could be put back in part only, and the system may be half of each; next: sh ${restore} && systemctl reboot\n`,
    ]);
  },
);

for (const [what, rescued] of [
  ['removed', undefined],
  ['removed', 'rolled-forward'],
  ['emptied', 'rolled-forward'],
] as const) {
  void t.test(
    `the history was ${what} by somebody, and the shell says ${rescued ?? 'nothing'}`,
    async (t) => {
      const { ports, told } = await recovered(t, { events: [armed] });
      const { paths, store } = ports;
      told.length = 0;
      await store.markOpen(id);
      if (what === 'removed') rmSync(pathsOfUpdate(paths, id).folder, { recursive: true });
      else writeFileSync(pathsOfUpdate(paths, id).journal, '');
      if (rescued !== undefined) writeFileSync(paths.rescued, `before ${rescued}\n`);
      await recover(ports);
      await recover(ports);
      t.strictSame(told, [
        `the history of update ${id} is gone, and what became of it cannot be told; next: dpkg --audit\n`,
      ]);
      for (const path of [paths.open, paths.rescued])
        t.notOk(lstatSync(path, { throwIfNoEntry: false }), 'no later boot finds anything of it');
    },
  );
}

for (const [rescued, ...left] of [
  ['nothing-changed', '', ''],
  ['fallback-boots-next', '', 'v8'],
  ['never-started', 'v8', 'v8'],
  ['packages-changed', 'v8', 'v8'],
  ['copy-restored', 'v8', 'v8'],
] as const) {
  void t.test(
    `${rescued}: the snapshot that the service began with ${left[0] === '' ? 'is emptied' : 'stays'}`,
    async (t) => {
      const root = t.testdir({
        etc: {},
        var: {
          lib: {},
          cache: { 'offline-update': { 'update-service-1.blob': 'v8', 'offline-update-1.blob': 'v8' } },
        },
      });
      const ports = {
        log: systemLog({ run: unused, output: { write: () => true }, toJournal: false }),
        paths: pathsBelow(root),
        fs: fileSystem,
        files: durableFiles(fileSystem),
      };
      await distrustSnapshot(ports, [rescued]);
      const read = (name: string): string => readFileSync(`${ports.paths.warmStarts}/${name}`, 'utf8');
      t.strictSame([read('update-service-1.blob'), read('offline-update-1.blob')], left);
    },
  );
}

void t.test('where there is no snapshot, none is put out of use', async (t) => {
  const ports = {
    log: systemLog({ run: unused, output: { write: () => true }, toJournal: false }),
    paths: pathsBelow(t.testdir({ var: {} })),
    fs: fileSystem,
    files: durableFiles(fileSystem),
  };
  await distrustSnapshot(ports, ['nothing-changed']);
});
