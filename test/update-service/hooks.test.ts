import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { pathsBelow } from '../../src/update/paths.js';
import { defaultPolicy } from '../../src/update/policy.js';
import { updateStore } from '../../src/update/store.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { hookFiles, runHooks, type RanHook } from '../../src/update-service/hooks.js';
import { afterHooks } from '../../src/update-service/install-hooks.js';
import type { Ports } from '../../src/update-service/ports.js';
import { emptyPlan } from '../fixtures/empty-plan.js';

const ports = { fs: fileSystem, run: runCommand } as Ports;

void t.test('executables are run in byte order; a link to /dev/null masks one', async (t) => {
  const folder = t.testdir({ 'b~': '', 'c.dpkg-old': '', d: 'not executable' });
  for (const name of ['10-b', '10-B', 'b~', 'c.dpkg-old'])
    writeFileSync(join(folder, name), '#!/bin/sh\n', { mode: 0o755 });
  mkdirSync(join(folder, 'folder'));
  symlinkSync('/bin/true', join(folder, '20-link'));
  symlinkSync('/dev/null', join(folder, '30-masked'));
  symlinkSync('nowhere', join(folder, '40-dangling'));
  symlinkSync('d', join(folder, '50-to-a-text'));
  symlinkSync('folder', join(folder, '60-to-a-folder'));
  symlinkSync('30-masked', join(folder, '70-to-a-mask'));
  symlinkSync('80-to-itself', join(folder, '80-to-itself'));
  t.strictSame(
    (await hookFiles(fileSystem, folder)).map((path) => basename(path)),
    ['10-B', '10-b', '20-link', '40-dangling', '80-to-itself'],
    'a link that leads nowhere was to be a hook, and fails as one',
  );
  t.strictSame(await hookFiles(fileSystem, join(folder, 'none')), []);
});

void t.test('a hook that cannot be run says why', async (t) => {
  const folder = t.testdir({});
  writeFileSync(join(folder, '10-no-interpreter'), '#!/no/such/shell\n', { mode: 0o755 });
  const notes: RanHook[] = [];
  await t.rejects(
    runHooks(ports, {
      folder,
      timeoutSeconds: 20,
      env: {},
      note(note) {
        notes.push(note);
        return Promise.resolve();
      },
    }),
    { code: 'HOOK_FAILED', message: /^the hook \S+10-no-interpreter could not be run to its end: .*ENOENT/ },
  );
  t.strictSame(notes, []);
});

void t.test(
  'a hook that fails says its last words in the error, and all of them to the log of root',
  async (t) => {
    const folder = t.testdir({});
    const path = join(folder, '10-says');
    writeFileSync(path, '#!/bin/sh\necho PASSWORD=secret; echo no backup; exit 7\n', { mode: 0o755 });
    const ran: RanHook[] = [];
    const note = (of: RanHook): Promise<void> => Promise.resolve(void ran.push(of));
    await t.rejects(runHooks(ports, { folder, timeoutSeconds: 20, env: {}, note }), {
      code: 'HOOK_FAILED',
      message: `the hook ${path} ended with 7: no backup`,
    });
    t.strictSame(ran, [{ path, exitCode: 7, output: 'PASSWORD=secret\nno backup' }]);
  },
);

void t.test('what a hook prints is not in the journal, which everybody may read', async (t) => {
  const root = t.testdir({ etc: { 'offline-update': { 'after-install.d': {} } } });
  const [paths, files] = [pathsBelow(root), durableFiles(fileSystem)];
  const moment = { now: () => new Date(0), bootId: 'now' };
  const store = updateStore({ paths, fs: fileSystem, files, moment });
  const plan = emptyPlan({ policy: { ...defaultPolicy, hookTimeoutSeconds: 20 } });
  const update = await store.record(plan);
  const path = join(paths.hooksAfter, '10-says');
  writeFileSync(path, '#!/bin/sh\necho PASSWORD=secret\n', { mode: 0o755 });
  const whyNodeFails = (): Promise<undefined> => Promise.resolve(undefined);
  const attempt = { ports: { ...ports, paths, whyNodeFails }, update, plan, number: 1 } as unknown as Attempt;
  await afterHooks(attempt);
  t.strictSame(update.journal.rows.at(-1)?.entry, { note: 'hook', path, exitCode: 0, output: '' });
  t.equal(
    readFileSync(update.paths.terminalLog, 'utf8'),
    `\noffline-update: the hook ${path}\nPASSWORD=secret\n`,
  );
});

void t.test('a hook that breaks Node.js after it was verified: not proven', async (t) => {
  const root = t.testdir({ etc: { 'offline-update': { 'after-install.d': {} } } });
  const [paths, files] = [pathsBelow(root), durableFiles(fileSystem)];
  const store = updateStore({
    paths,
    fs: fileSystem,
    files,
    moment: { now: () => new Date(0), bootId: 'now' },
  });
  const plan = emptyPlan({ policy: { ...defaultPolicy, hookTimeoutSeconds: 20 } });
  const update = await store.record(plan);
  const why = '/usr/bin/node changed, and Node.js does not start: ENOENT';
  let looks = 0;
  const whyNodeFails = (): Promise<string> => {
    looks += 1;
    return Promise.resolve(why);
  };
  const attempt = { ports: { ...ports, paths, whyNodeFails }, update, plan, number: 1 } as unknown as Attempt;
  await afterHooks(attempt);
  t.equal(looks, 0, 'without a hook nothing has run since the verification');
  writeFileSync(join(paths.hooksAfter, '10-breaks'), '#!/bin/sh\n', { mode: 0o755 });
  await t.rejects(afterHooks(attempt), { code: 'VERIFY_FAILED', message: why });
  t.strictSame(update.journal.rows.at(-1)?.entry, { note: 'finding', check: 'node', message: why });
});
