/** The verdict of the first ordinary boot, with a machine that is made up. */
import { lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { systemLog } from '../../src/host/system-log.js';
import type { UnitState } from '../../src/host/unit-states.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import { UpdateError } from '../../src/update/errors.js';
import type { FallbackNote, JournalEntry } from '../../src/update/events.js';
import type { Finding } from '../../src/update/finding.js';
import { pathsBelow } from '../../src/update/paths.js';
import { defaultPolicy } from '../../src/update/policy.js';
import { buildReport } from '../../src/update/report.js';
import { updateStore, type KnownUpdate } from '../../src/update/store.js';
import { confirm } from '../../src/update-service/confirm.js';
import type { Ports } from '../../src/update-service/ports.js';
import type { Plan } from '../../src/update/plan.js';
import { emptyPlan } from '../fixtures/empty-plan.js';
import { unused, unusedHealth, unusedPayload, unusedPorts } from '../fixtures/service-ports.js';
import { failedUnit } from '../fixtures/unit-state.js';

const id = '20261120T154935-3f2a';
const plan = emptyPlan({ policy: { ...defaultPolicy, hookTimeoutSeconds: 20 } });
const fallback: FallbackNote = { provider: 'fake', reference: 'the old root' };
const reason = { code: 'HEALTH_FAILED', message: 'x' } as const;
const keptFallback = { ...fallback, covers: '' };
const decided: JournalEntry = { note: 'reverting', step: 'decided', reason };
const switched: JournalEntry = { note: 'reverting', step: 'switched', reason };

interface Given {
  fallback?: FallbackNote | null;
  /** Rows of earlier boots, after `installed`. */
  rows?: JournalEntry[];
  /** Of this boot, after those. */
  rowsNow?: JournalEntry[];
  /** Executables below health.d, the bodies of shell scripts. */
  scripts?: Record<string, string>;
  findings?: Finding[] | Error;
  /** At each look, the last one stays. */
  systemStates?: string[];
  revert?: () => Promise<void>;
  /** The next boot puts a copy back. */
  copyIsAhead?: boolean;
  isUpdateBoot?: boolean;
  baseline?: string | undefined;
  units?: UnitState[];
  /** What systemd says of them. */
  described?: string;
  isLogTaken?: boolean;
  seconds?: () => number;
  policy?: Partial<Plan['policy']>;
  /** Ids of other updates in the history, and of kept fallbacks. */
  history?: string[];
  kept?: string[];
}

interface Outcome {
  error: UpdateError | undefined;
  /** What was asked of the provider and of the power, in order. */
  asked: string[];
  update: KnownUpdate;
  health: string[];
  /** Of the history. */
  ids: string[];
}

async function confirmed(t: Test, given: Given): Promise<Outcome> {
  const paths = pathsBelow(t.testdir({}));
  const files = durableFiles(fileSystem);
  const at = (bootId: string) => ({
    paths,
    fs: fileSystem,
    files,
    moment: { now: () => new Date(0), bootId },
  });
  const before = updateStore(at('before'));
  const { journal, paths: of } = await before.record({
    ...plan,
    policy: { ...plan.policy, ...given.policy },
  });
  const entries: JournalEntry[] = [
    { event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' },
    { event: 'claimed', attempt: 1 },
    { event: 'installing', attempt: 1, fallback: given.fallback ?? null },
    { event: 'installed', attempt: 1 },
    ...(given.rows ?? []),
  ];
  for (const entry of entries) await journal.append(entry);
  const here = await updateStore(at('now')).find(id);
  for (const entry of given.rowsNow ?? []) await here.journal.append(entry);
  await before.markOpen(id);
  if (given.copyIsAhead) {
    mkdirSync(paths.fallbacks);
    symlinkSync(id, paths.copyArmed);
    symlinkSync('/var/lib/system-update', `${paths.triggers[0]}.claimed`);
  }
  const baseline = 'baseline' in given ? given.baseline : '{"format":1,"failedUnits":[],"interfaces":[]}';
  if (baseline !== undefined) writeFileSync(of.baseline, baseline);
  for (const [name, body] of Object.entries(given.scripts ?? {})) {
    mkdirSync(dirname(join(paths.healthChecks, name)), { recursive: true });
    writeFileSync(join(paths.healthChecks, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  if (given.isUpdateBoot) {
    mkdirSync(paths.runFolder, { recursive: true });
    writeFileSync(paths.updateBoot, '');
  }
  if (given.isLogTaken) mkdirSync(of.terminalLog);
  for (const other of given.history ?? []) mkdirSync(join(paths.updates, other));
  const asked: string[] = [];
  const ask = (what: string) => () => {
    asked.push(what);
    return Promise.resolve();
  };
  const findings = given.findings ?? [];
  const states = [...(given.systemStates ?? [])];
  const ports: Ports = {
    ...unusedPorts,
    ...at('now'),
    run: runCommand,
    store: updateStore(at('now')),
    payload: {
      ...unusedPayload,
      verify: () => (findings instanceof Error ? Promise.reject(findings) : Promise.resolve(findings)),
    },
    snapshots: {
      ...noSnapshots,
      commit: ask('commit'),
      prune: ask('prune'),
      list: () => Promise.resolve((given.kept ?? []).map((id) => ({ ...keptFallback, id }))),
      async revert(to, of) {
        asked.push(`revert to ${to.reference} for ${of}`);
        await given.revert?.();
      },
    },
    health: {
      ...unusedHealth,
      units: () => Promise.resolve(given.units ?? []),
      network: () => Promise.resolve([]),
      systemState: () =>
        Promise.resolve(states.length > 1 ? (states.shift() ?? '') : (states[0] ?? 'running')),
      describe: () => Promise.resolve(given.described ?? ''),
      monotonicSeconds: given.seconds ?? (() => 0),
    },
    log: systemLog({ run: unused, output: process.stderr, toJournal: false }),
    askToLeave: (action) => {
      asked.push(action);
      return Promise.resolve('the fake');
    },
  };
  const error = await confirm(ports).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof UpdateError ? thrown : Promise.reject(thrown as Error)),
  );
  const update = await ports.store.find(id);
  const { health } = buildReport(plan, update.journal.rows, update.journal.state, {
    journal: '',
    terminal: '',
  });
  const told = health.map(({ check, outcome, message }) => `${check} ${outcome}${message && `: ${message}`}`);
  return { error, asked, update, health: told, ids: await ports.store.ids() };
}

const builtIn = ['boot passed', 'units passed', 'network passed', 'packages passed'];
const failing = { 'required.d/10-fails': 'echo no database; exit 2' };

void t.test('all checks pass: confirmed, with each of them in the record', async (t) => {
  const { error, asked, update, health } = await confirmed(t, {
    fallback,
    scripts: { 'required.d/b': 'true', 'required.d/a': 'true', top: 'true', 'wanted.d/c': 'true' },
  });
  t.equal(error, undefined);
  t.strictSame(asked, ['prune']);
  t.strictSame(update.journal.state, { name: 'confirmed' });
  t.strictSame(health, [
    ...builtIn,
    'top passed',
    'required.d/a passed',
    'required.d/b passed',
    'wanted.d/c passed',
  ]);
});

void t.test(
  'invariant 3: the decision is in the journal before the switch, and the switch before the reboot',
  async (t) => {
    const { error, asked, update } = await confirmed(t, { fallback, scripts: failing });
    const message = 'unhealthy after the update: required.d/10-fails: ended with 2: no database';
    t.match(error, {
      code: 'HEALTH_FAILED',
      message: `${message}; the machine goes back to the state before`,
    });
    t.strictSame(asked, [`revert to the old root for ${id}`, 'reboot']);
    t.equal(update.journal.state.name, 'installed', 'the verdict is written by the system that comes back');
    t.match(
      update.journal.rows.slice(-2).map(({ entry }) => entry),
      [
        { ...decided, reason: { code: 'HEALTH_FAILED', message } },
        { ...switched, reason: { code: 'HEALTH_FAILED', message } },
      ],
    );
  },
);

void t.test('all required checks run, also after one that fails; the wanted ones then do not', async (t) => {
  const { health } = await confirmed(t, {
    scripts: { ...failing, 'required.d/20-fails': 'kill -9 $$', 'wanted.d/c': 'false' },
  });
  t.strictSame(health, [
    ...builtIn,
    'required.d/10-fails failed: ended with 2: no database',
    'required.d/20-fails failed: was ended by SIGKILL',
  ]);
});

void t.test('a check that hangs is ended at what is left of the deadline', async (t) => {
  // At the start, at the one look (twice), and before each of the executables.
  const clock = [0, 0, 0, 299.5, 300.1];
  const { health } = await confirmed(t, {
    scripts: { 'required.d/10-hangs': 'sleep infinity', 'required.d/20-late': 'true' },
    seconds: () => clock.shift() ?? 301,
  });
  t.match(health.slice(4), [
    /^required\.d\/10-hangs failed: could not be run to its end: .* no result within \S+ s$/,
    'required.d/20-late failed: was not run: the deadline has passed',
  ]);
});

void t.test('a network that only warns takes no time from the checks of the administrator', async (t) => {
  const up = {
    name: 'eth0',
    isHardware: true,
    hasCarrier: true,
    addresses: ['IPv4'],
    defaultRoutes: ['IPv4'],
  };
  const clock = [0];
  const { update, health } = await confirmed(t, {
    baseline: JSON.stringify({ format: 1, failedUnits: [], interfaces: [up] }),
    policy: { confirmNetwork: 'warn' },
    scripts: { 'required.d/10-looks': 'true' },
    seconds: () => clock.shift() ?? 301, // the deadline of 300 s has passed at the first look
  });
  t.match(health[2], /^network warned: /);
  t.match(readFileSync(update.paths.journal, 'utf8'), 'confirmNetwork = \\"warn\\"', 'the advice is for all');
  t.equal(health[4], 'required.d/10-looks passed');
  t.equal(update.journal.state.name, 'confirmed');
});

void t.test('without a fallback the machine stays up: failed, and the update is closed', async (t) => {
  const { error, asked, update } = await confirmed(t, { scripts: failing });
  t.match(error, { code: 'HEALTH_FAILED', hint: `offline-update report ${id}` });
  t.strictSame(asked, []);
  t.match(update.journal.state, { name: 'failed', healed: true, reason: { code: 'HEALTH_FAILED' } });
});

void t.test(
  'packages that are not there make it unhealthy, and keep the executables from running',
  async (t) => {
    const finding = (check: string): Finding => ({
      check,
      severity: 'block',
      evidence: `${check}!`,
      remedy: '',
    });
    const { update, health } = await confirmed(t, { scripts: failing, findings: [finding('dpkg-audit')] });
    t.match(update.journal.state, {
      name: 'failed',
      healed: false,
      reason: { message: 'unhealthy after the update: packages: dpkg-audit!' },
    });
    t.strictSame(health.slice(3), ['packages failed: dpkg-audit!']);
  },
);

void t.test(
  'a way back that cannot be taken: the updated root goes on to be the one that boots',
  async (t) => {
    const { asked, update } = await confirmed(t, {
      fallback,
      scripts: failing,
      revert: () => Promise.reject(new UpdateError('SNAPSHOT_FAILED', 'the old root was deleted')),
    });
    t.strictSame(asked, [`revert to the old root for ${id}`, 'commit']);
    t.match(update.journal.state, {
      name: 'failed',
      reason: { message: /; the way back cannot be taken: the old root was deleted$/ },
    });
  },
);

void t.test('a decision that was cut short is judged anew', async (t) => {
  const well = await confirmed(t, { fallback, rows: [decided] });
  t.equal(well.update.journal.state.name, 'confirmed');
  const unwell = await confirmed(t, { fallback, rows: [decided], scripts: failing });
  t.strictSame(unwell.asked.at(-1), 'reboot');
});

void t.test('never a loop: two decisions that were cut short are the last', async (t) => {
  const { asked, update } = await confirmed(t, { fallback, rows: [decided, decided], scripts: failing });
  t.strictSame(asked, []);
  t.match(update.journal.state, { name: 'failed', reason: { message: /the way back was cut short twice$/ } });
});

void t.test('never a loop: a way back that led here again is not taken a second time', async (t) => {
  const { asked, update } = await confirmed(t, { fallback, rows: [decided, switched], scripts: failing });
  t.strictSame(asked, []);
  t.match(update.journal.state, { name: 'failed', reason: { message: /the updated root booted again$/ } });
});

void t.test(
  'led past the boot that puts the copy back: no verdict, and the next boot goes back',
  async (t) => {
    // the second: the power went before the switch was written down, but its links were made
    for (const rows of [[decided, switched], [decided]]) {
      const { error, asked, update } = await confirmed(t, { fallback, rows, copyIsAhead: true });
      t.match(error, {
        code: 'HEALTH_FAILED',
        message: /goes back to the state before$/,
        hint: 'systemctl reboot',
      });
      t.strictSame(asked, []);
      t.equal(update.journal.state.name, 'installed');
    }
  },
);

void t.test(
  'started once more before its reboot has come: it is asked for again, and nothing else',
  async (t) => {
    const { error, asked, update } = await confirmed(t, {
      fallback,
      rowsNow: [decided, switched],
      scripts: failing,
    });
    t.match(error, { code: 'HEALTH_FAILED', message: /the machine goes back to the state before$/ });
    t.strictSame(asked, ['reboot']);
    t.equal(update.journal.state.name, 'installed', 'the fallback boots next, and has the verdict');
  },
);

void t.test('a package database that cannot be asked is no healthy one: the machine goes back', async (t) => {
  const { asked, health } = await confirmed(t, {
    fallback,
    findings: new UpdateError('INTERNAL', 'cannot run dpkg-query'),
  });
  t.strictSame(asked, [`revert to the old root for ${id}`, 'reboot']);
  t.equal(health.at(-1), 'packages failed: the packages cannot be looked at: cannot run dpkg-query');
});

void t.test('the history keeps the newest 200, and what a kept fallback is named after', async (t) => {
  const ids = Array.from(
    { length: 203 },
    (_, index) => `2020010${(index % 9) + 1}T000000-${String(index).padStart(4, '0')}`,
  );
  const [first = '', second = '', ...rest] = ids.sort();
  const { update, ids: left } = await confirmed(t, { fallback, history: ids, kept: [second] });
  t.equal(update.journal.state.name, 'confirmed');
  t.equal(left.length, 201);
  t.notOk(left.includes(first));
  t.ok(left.includes(second));
  t.strictSame(left.slice(0, -1), [id, ...rest.slice(2)].reverse().sort().reverse());
});

const without: [string, Given, string][] = [
  ['in the update boot', { isUpdateBoot: true }, 'WRONG_STATE'],
  ['in rescue mode', { systemStates: ['maintenance'] }, 'WRONG_STATE'],
  ['while the machine is being left', { systemStates: ['stopping'] }, 'WRONG_STATE'],
  [
    'for a check that failed because the machine is left',
    { systemStates: ['running', 'stopping'], scripts: failing },
    'WRONG_STATE',
  ],
  ['while the package database is busy', { findings: new UpdateError('BUSY', 'dpkg') }, 'BUSY'],
];
for (const [when, given, code] of without) {
  void t.test(`no verdict ${when}`, async (t) => {
    const { error, asked, update } = await confirmed(t, { fallback, ...given });
    t.equal(error?.code, code);
    t.strictSame(asked, []);
    t.equal(update.journal.state.name, 'installed');
  });
}

const broken = failedUnit('bad.service');

void t.test(
  'what units and checks print is for root alone: the record for everybody has none of it',
  async (t) => {
    const given = { units: [broken], described: 'PASSWORD=secret', fallback };
    const { asked, update } = await confirmed(t, given);
    t.equal(asked.at(-1), 'reboot');
    const { journal, terminalLog } = update.paths;
    t.notMatch(readFileSync(journal, 'utf8'), 'secret');
    t.match(
      readFileSync(terminalLog, 'utf8'),
      '\noffline-update: the check units, which failed\nPASSWORD=secret\n',
    );
    t.equal(lstatSync(terminalLog).mode & 0o777, 0o600);

    const checked = await confirmed(t, {
      scripts: { own: 'echo token; echo well', 'wanted.d/quiet': 'true' },
    });
    t.equal(checked.update.journal.state.name, 'confirmed');
    t.notMatch(readFileSync(checked.update.paths.journal, 'utf8'), 'token');
    t.equal(
      readFileSync(checked.update.paths.terminalLog, 'utf8'),
      '\noffline-update: the check own, which passed\ntoken\nwell\n',
    );
  },
);

void t.test('a log that cannot be written changes no verdict', async (t) => {
  const { asked, update } = await confirmed(t, {
    units: [broken],
    described: 'PASSWORD=secret',
    isLogTaken: true,
  });
  t.strictSame(asked, []);
  t.match(update.journal.state, { name: 'failed', reason: { code: 'HEALTH_FAILED' } });
});

for (const [what, baseline, message] of [
  ['no baseline', undefined, 'nothing was noted then'],
  ['a baseline that cannot be read', '{"format":1}', /the baseline is not valid/],
] as const) {
  void t.test(`${what}: told, and units are not judged`, async (t) => {
    const { update, health } = await confirmed(t, { baseline, units: [broken] });
    t.equal(update.journal.state.name, 'confirmed');
    t.match(health[0], /^baseline warned: units and network cannot be compared/);
    t.match(health[0], message);
  });
}
