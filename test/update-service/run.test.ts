/** The end of an update boot, with a machine that is made up; whole boots are in test/boot. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { durableFiles, type DurableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { systemLog } from '../../src/host/system-log.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import type { Action, FallbackNote, UpdateEvent } from '../../src/update/events.js';
import { pathsBelow, pathsOfUpdate } from '../../src/update/paths.js';
import { defaultPolicy } from '../../src/update/policy.js';
import { updateStore, type KnownUpdate } from '../../src/update/store.js';
import type { Ports } from '../../src/update-service/ports.js';
import { runUpdateBoot } from '../../src/update-service/run.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { unused, unusedPayload, unusedPorts } from '../fixtures/service-ports.js';

const id = '20261120T154935-3f2a';
const fallback: FallbackNote = { provider: 'fake', reference: 'the old root' };

interface Given {
  events: UpdateEvent[];
  action?: Action;
  /** Why the plan, and no person, has said this action. */
  because?: string;
  attempts?: number;
  /** The reading of /boot that fails, counted from 1. */
  unreadableBoot?: number;
  verify?: (journal: string) => Promise<never>;
  /** Between the reboot that is asked for and the last row the disk is full. */
  isFullAtTheEnd?: boolean;
  /** Rows for which the disk is full. */
  unwritten?: RegExp;
}

interface Outcome {
  error: unknown;
  asked: string[];
  update: KnownUpdate;
  /** What is left in the run folder. */
  runFolder: string[];
  /** What became of a way back that was begun ahead. */
  arming: string[];
}

async function updateBoot(t: Test, given: Given): Promise<Outcome> {
  const { action = 'reboot', attempts = 3, because } = given;
  const paths = pathsBelow(t.testdir({ etc: {}, run: {}, var: { lib: {} } }));
  const files = durableFiles(fileSystem);
  const at = (bootId: string, files: DurableFiles) => {
    const moment = { now: () => new Date(0), bootId };
    return { paths, fs: fileSystem, files, moment };
  };
  const before = updateStore(at('before', files));
  const { journal } = await before.record(emptyPlan({ policy: { ...defaultPolicy, attempts } }));
  const armed = { event: 'armed', planHash: 'aa', action, trigger: paths.triggers[0] } as const;
  await journal.append({ ...armed, ...(because !== undefined && { because }) });
  for (const event of given.events) await journal.append(event);
  await before.markOpen(id);
  symlinkSync('/var/lib/system-update', `${paths.triggers[0]}.claimed`);
  mkdirSync(paths.runFolder);
  writeFileSync(paths.updateBoot, '');
  let isFull = false;
  const failing: DurableFiles = {
    ...files,
    appendLine: (...line) =>
      isFull || given.unwritten?.test(line[1])
        ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
        : files.appendLine(...line),
  };
  let boots = 0;
  const readFolder = (path: string): Promise<string[]> =>
    path === join(paths.root, 'boot') && (boots += 1) === given.unreadableBoot
      ? Promise.reject(Object.assign(new Error('ENODEV: no such device'), { code: 'ENODEV' }))
      : fileSystem.readFolder(path);
  const asked: string[] = [];
  const arming: string[] = [];
  const ports: Ports = {
    ...unusedPorts,
    ...at('now', failing),
    fs: { ...fileSystem, readFolder },
    store: updateStore(at('now', failing)),
    payload: {
      ...unusedPayload,
      // There is no stage, so this rejects.
      preflight: (plan) => Promise.resolve(plan).then(() => []),
      lookAhead: () => Promise.resolve(),
      heal: () => Promise.reject(new Error('cannot run dpkg')),
      verify: () => given.verify?.(pathsOfUpdate(paths, id).journal) ?? unused(),
      leftovers: () => Promise.resolve([]),
    },
    whySyncsStay: () => Promise.resolve(undefined),
    snapshots: {
      ...noSnapshots,
      probe: () => Promise.resolve({ usable: true, reason: 'a fake' }),
      async armFallback(_id, { when } = {}) {
        arming.push('begun');
        await when?.finally(() => {
          arming.push('may go on, or not');
        });
        return fallback;
      },
      revert(to) {
        asked.push(`revert to ${to.reference}`);
        return Promise.resolve();
      },
    },
    log: systemLog({ run: unused, output: process.stderr, toJournal: false }),
    askToLeave(end) {
      asked.push(end);
      isFull = given.isFullAtTheEnd ?? false;
      return Promise.resolve('the fake');
    },
    wakeLogin: () => Promise.resolve(),
    kernel: { mounts: () => Promise.resolve([]) },
  };
  const error = await runUpdateBoot(ports).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const runFolder = await fileSystem.readFolder(paths.runFolder);
  if (!given.unwritten) t.notOk(existsSync(`${paths.triggers[0]}.claimed`), 'no link is left');
  return { error, asked, update: await before.find(id), runFolder, arming };
}

void t.test('a refusal that cannot be written down leaves no way back behind, and is told', async (t) => {
  const { error, arming } = await updateBoot(t, { events: [], unwritten: /"note":"phase"/ });
  t.match(error, { code: 'ENOSPC' });
  t.strictSame(arming, ['begun', 'may go on, or not'], 'what was begun is not left to wait');
});

const cutShort = (fallback: FallbackNote | null): UpdateEvent[] => [
  { event: 'claimed', attempt: 1 },
  { event: 'installing', attempt: 1, fallback },
];

void t.test('a root that is given up is left by a reboot, also when its attempts are used up', async (t) => {
  const { error, asked, update } = await updateBoot(t, {
    events: cutShort(fallback),
    action: 'soft-reboot',
    attempts: 1,
  });
  t.equal(error, undefined);
  t.match(update.journal.state, { name: 'reverted', reason: { code: 'INSTALL_INTERRUPTED' } });
  t.strictSame(asked, ['revert to the old root', 'reboot']);
});

void t.test('without a fallback the attempts come to an end: blocked, and the machine is left', async (t) => {
  const { error, asked, update } = await updateBoot(t, { events: cutShort(null), attempts: 1 });
  t.equal(error, undefined);
  t.match(update.journal.state, { name: 'blocked', reason: { code: 'ATTEMPTS_USED_UP' } });
  t.strictSame(asked, ['reboot']);
});

void t.test('what cannot be looked at speaks for a full reboot, and costs no update', async (t) => {
  const softly = { action: 'soft-reboot', because: 'nothing changes that a kernel reads' } as const;
  const installed: UpdateEvent[] = [...cutShort(null), { event: 'installed', attempt: 1 }];
  const expected = ['soft-reboot', 'reboot', 'reboot', 'reboot'];
  const whys = [
    undefined,
    'a soft-reboot is not enough: whether a reboot is owed cannot be told: ENODEV: no such device',
    'a soft-reboot is not enough: what changed cannot be told: ENODEV: no such device',
    'a soft-reboot is not enough: what changed cannot be told: ENODEV: no such device',
  ];
  for (const [unreadableBoot, end] of expected.entries()) {
    const { error, asked, update } = await updateBoot(t, { events: installed, ...softly, unreadableBoot });
    t.equal(error, undefined);
    t.strictSame(asked, [end]);
    t.match(update.journal.rows.at(-1)?.entry, {
      note: 'leaving',
      action: end,
      because: whys[unreadableBoot],
    });
  }
  const blocked = await updateBoot(t, { events: cutShort(null), attempts: 1, ...softly, unreadableBoot: 1 });
  t.equal(blocked.error, undefined);
  t.equal(blocked.update.journal.state.name, 'blocked', 'the attempt went on');
  t.strictSame(blocked.asked, ['reboot']);
});

void t.test('what the update boot told of itself does not outlive it, however it ends', async (t) => {
  const blocked: Given = { events: cutShort(null), attempts: 1, action: 'soft-reboot' };
  const { error, asked, runFolder } = await updateBoot(t, { ...blocked, isFullAtTheEnd: true });
  t.match(error, { code: 'ENOSPC' });
  t.strictSame(asked, ['soft-reboot']);
  t.strictSame(runFolder, []);
});

void t.test('the report is the last of it, and names what shows more', async (t) => {
  const { update } = await updateBoot(t, { events: cutShort(null), attempts: 1 });
  t.match(JSON.parse(readFileSync(update.paths.report, 'utf8')), {
    state: 'blocked',
    leftBy: 'the fake',
    logs: {
      journal: 'journalctl --unit=offline-update.service --boot=now',
      terminal: update.paths.terminalLog,
    },
  });
});

void t.test('a dpkg that cannot be run proves nothing, and keeps nobody in the update boot', async (t) => {
  const { error, asked, update } = await updateBoot(t, {
    events: cutShort(null),
    verify: () => Promise.reject(new Error('cannot run dpkg-query')),
  });
  t.equal(error, undefined);
  t.match(update.journal.state, { name: 'failed', healed: false, reason: { code: 'STAGE_MISSING' } });
  t.strictSame(asked, ['reboot']);
});

void t.test('a journal that a package has emptied gets no verdict: the rescue takes over', async (t) => {
  let left: string | undefined;
  const { error, asked, update } = await updateBoot(t, {
    events: cutShort(null),
    unwritten: /no row of this/,
    verify(journal) {
      writeFileSync(journal, '');
      left = journal;
      return Promise.reject(new Error('not whole'));
    },
  });
  t.match(error, { code: 'JOURNAL_CORRUPT' });
  t.strictSame([asked, update.journal.rows], [[], []]);
  t.equal(readFileSync(String(left), 'utf8'), '');
});
