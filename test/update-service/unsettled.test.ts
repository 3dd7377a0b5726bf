/** The shell that decides whether an ordinary boot needs `recover`, held against journals that the program wrote. */
import t from 'tap';
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import type { JournalEntry } from '../../src/update/events.js';
import { Journal } from '../../src/update/journal.js';
import { pathsBelow } from '../../src/update/paths.js';

const id = '20261121T090000-abcd';
const toInstalled: JournalEntry[] = [
  { event: 'prepared', planHash: 'a'.repeat(64) },
  { event: 'armed', action: 'reboot', trigger: '/system-update', planHash: 'a'.repeat(64) },
  { event: 'claimed', attempt: 1 },
  { event: 'installing', attempt: 1, fallback: null, syncs: 'kept' },
  { event: 'installed', attempt: 1 },
  { note: 'phase', phase: 'commit', outcome: 'done', seconds: 0.1 },
  { note: 'leaving', action: 'reboot', by: 'logind' },
];

async function rootWith(root: string, entries: readonly JournalEntry[]): Promise<string> {
  const { state, open } = pathsBelow(root);
  const path = join(state, 'updates', id, 'journal.jsonl');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  symlinkSync(`updates/${id}`, open);
  const moment = { now: () => new Date(0), bootId: 'boot' };
  const journal = await Journal.open(path, fileSystem, durableFiles(fileSystem), moment);
  for (const entry of entries) await journal.append(entry);
  return path;
}

const statusOf = (root: string): number | null => spawnSync('sh', ['units/unsettled', root]).status;
const isUnsettled = (root: string): boolean => statusOf(root) === 0;

void t.test('after an update that installed there is nothing to record', async (t) => {
  const root = t.testdir({});
  await rootWith(root, toInstalled);
  t.equal(statusOf(root), 1);
});

void t.test('every other state is looked at', async (t) => {
  for (let count = 0; count < 5; count += 1) {
    const root = t.testdir({});
    await rootWith(root, toInstalled.slice(0, count));
    t.ok(isUnsettled(root), `after ${count} rows`);
  }
  const root = t.testdir({});
  const reason = { code: 'HEALTH_FAILED', message: 'not well: "event":"installed","x"' } as const;
  await rootWith(root, [...toInstalled, { event: 'reverted', reason }]);
  t.ok(isUnsettled(root), 'and what came after it');
});

void t.test('a torn row is no row', async (t) => {
  const root = t.testdir({});
  const path = await rootWith(root, toInstalled.slice(0, 5));
  truncateSync(path, readFileSync(path).length - 3);
  t.ok(isUnsettled(root));
});

void t.test('a residue is always looked at, whatever it is', async (t) => {
  const { triggers, rescued, fallbackMark, copyArmed, copyRestored } = pathsBelow('/');
  for (const residue of [
    ...triggers,
    ...triggers.map((trigger) => `${trigger}.claimed`),
    rescued,
    fallbackMark,
    copyArmed,
    copyRestored,
  ]) {
    const root = t.testdir({});
    await rootWith(root, toInstalled);
    mkdirSync(dirname(join(root, residue)), { recursive: true });
    symlinkSync('/nowhere', join(root, residue));
    t.ok(isUnsettled(root), residue);
  }
});

void t.test('what cannot be read is looked at', async (t) => {
  t.ok(isUnsettled(t.testdir({})), 'no open update');
  const root = t.testdir({});
  appendFileSync(await rootWith(root, []), 'no journal\n');
  t.ok(isUnsettled(root), 'no rows');
});

/** Its words as systemd splits them: one pair of quotes, and `$$` for a dollar. */
function conditionOf(unit: string, script: string): string[] {
  const line = /^ExecCondition=(.*)$/m.exec(readFileSync(unit, 'utf8'))?.[1] ?? '';
  const words = line.match(/'[^']*'|\S+/g) ?? [];
  return words.map((word) =>
    word.replaceAll("'", '').replaceAll('$$', '$').replaceAll('/usr/lib/offline-update/unsettled', script),
  );
}

void t.test('only its own no keeps recover from starting: any other status is no answer', (t) => {
  const script = join(t.testdir({}), 'unsettled');
  const isSkipped = (): boolean => {
    const [program = '', ...args] = conditionOf('units/offline-update-recover.service', script);
    // systemd.service(5): 1 to 254 skip the service; a program that cannot be executed is 203.
    const { status, error } = spawnSync(program, args, { stdio: 'ignore' });
    return error !== undefined || status !== 0;
  };
  t.notOk(isSkipped(), 'it is not there');
  writeFileSync(script, '#!/bin/sh\nexit 1\n', { mode: 0o644 });
  t.notOk(isSkipped(), 'it cannot be executed');
  chmodSync(script, 0o755);
  t.ok(isSkipped(), 'no');
  for (const text of ['#!/bin/sh\n', '#!/bin/sh\nif\n', '#!/no/such/sh\nexit 1\n', '#!/bin/sh\nkill $$\n']) {
    writeFileSync(script, text);
    t.notOk(isSkipped(), text);
  }
  t.end();
});
