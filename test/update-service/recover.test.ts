import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import t, { type Test } from 'tap';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { systemLog } from '../../src/host/system-log.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import type { UpdateEvent } from '../../src/update/events.js';
import { markText } from '../../src/update/fallback-mark.js';
import type { Finding } from '../../src/update/finding.js';
import { pathsBelow } from '../../src/update/paths.js';
import { planText, type Plan } from '../../src/update/plan.js';
import { defaultPolicy } from '../../src/update/policy.js';
import type { UpdateState } from '../../src/update/state.js';
import { updateStore } from '../../src/update/store.js';
import type { Ports } from '../../src/update-service/ports.js';
import { recover } from '../../src/update-service/recover.js';

const id = '20261120T154935-3f2a';
const plan: Plan = {
  format: 1,
  id,
  createdAt: '2026-11-20T15:49:35.000Z',
  request: { mode: 'upgrade', packages: [] },
  payload: {
    kind: 'packages',
    manager: 'apt',
    changes: [],
    baseFingerprint: '0'.repeat(64),
    diskBytes: 0,
    unsignedSources: [],
  },
  files: [],
  policy: defaultPolicy,
};

const armed: UpdateEvent = { event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' };
const claimed: UpdateEvent = { event: 'claimed', attempt: 1 };
const installing: UpdateEvent = { event: 'installing', attempt: 1, fallback: null };
const installed: UpdateEvent = { event: 'installed', attempt: 1 };

interface Found {
  events: readonly UpdateEvent[];
  /** Whether the events were written in the boot that recovers. */
  sameBoot?: boolean;
  rescued?: string;
  link?: 'trigger' | 'claimed';
  findings?: Finding[];
  staged?: boolean;
}

const unused = () => Promise.reject(new Error('not in an ordinary boot'));

/** The machine as the ordinary boot finds it; tells what is left after `recover`. */
async function recovered(
  t: Test,
  found: Found,
): Promise<{ state: UpdateState; left: string[]; ports: Ports }> {
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
  await before.markOpen(id);
  if (found.rescued !== undefined) writeFileSync(paths.rescued, `before ${found.rescued}\n`);
  if (found.link)
    symlinkSync('/var/lib/system-update', paths.triggers[0] + (found.link === 'claimed' ? '.claimed' : ''));
  if (found.staged) {
    mkdirSync(paths.stage);
    writeFileSync(`${paths.stage}/plan.json`, planText(plan));
  }
  const ports: Ports = {
    ...at('now'),
    run: unused,
    store: updateStore(at('now')),
    payload: {
      plan: unused,
      fetch: unused,
      agree: unused,
      preflight: unused,
      advise: unused,
      install: unused,
      heal: unused,
      verify: () => Promise.resolve(found.findings ?? []),
      writesBootLoader: () => false,
      questions: () => Promise.resolve([]),
      leftovers: () => Promise.resolve([]),
    },
    snapshots: noSnapshots,
    announce: { event: () => undefined, progress: () => undefined, settled: () => Promise.resolve() },
    health: {
      units: unused,
      network: unused,
      systemState: unused,
      describe: unused,
      monotonicSeconds: () => 0,
      pause: unused,
    },
    log: systemLog({ run: unused, output: process.stderr, toJournal: false }),
    askToLeave: unused,
    whySyncsStay: () => Promise.resolve('not in an ordinary boot'),
    wakeLogin: unused,
  };
  await recover(ports);
  const links = paths.triggers.flatMap((trigger) => [trigger, `${trigger}.claimed`]);
  const left: string[] = [];
  for (const path of [...links, paths.open, paths.rescued, paths.stage]) {
    if (await fileSystem.lstat(path).catch(() => undefined)) left.push(path.slice(root.length));
  }
  return { state: (await ports.store.find(id)).journal.state, left, ports };
}

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
];

for (const [what, found, state, left] of cases) {
  void t.test(what, async (t) => {
    const result = await recovered(t, found);
    t.match(result.state, state);
    t.strictSame(result.left, left);
  });
}

void t.test('a mark of an update whose history was removed is only cleaned up', async (t) => {
  const { ports } = await recovered(t, { events: [] });
  const mark = ports.paths.fallbackMark;
  mkdirSync(dirname(mark), { recursive: true });
  writeFileSync(mark, markText({ id: '20200101T000000-0000', provider: 'none', failedRoot: '@x' }));
  const collected = { ...ports, snapshots: { ...noSnapshots, collect: () => Promise.resolve() } };
  await recover(collected);
  t.notOk(existsSync(mark));
});
