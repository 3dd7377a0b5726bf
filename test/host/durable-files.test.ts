import t from 'tap';
import { durableFiles, unsyncedFiles } from '../../src/host/durable-files.js';
import type { DurableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import type { FileSystem } from '../../src/host/file-system.js';
import { memoryFileSystem } from '../fixtures/memory-file-system.js';
import type { Recording, RecordingOptions } from '../fixtures/recording-file-system.js';
import { recordingFileSystem } from '../fixtures/recording-file-system.js';

interface Scene extends Recording {
  inner: FileSystem;
  durable: DurableFiles;
}

async function scene(options: RecordingOptions = {}): Promise<Scene> {
  const inner = memoryFileSystem();
  await inner.makeFolder('/state', 0o700);
  await inner.makeFolder('/other', 0o700);
  const recording = recordingFileSystem(inner, options);
  return { ...recording, inner, durable: durableFiles(recording.fs) };
}

void t.test('invariant 3: replace is temporary file, fsync, rename, fsync of the folder', async (t) => {
  const { durable, inner, takeLines } = await scene();
  await durable.replace('/state/plan.json', 'one');
  await durable.replace('/state/plan.json', 'two', 0o644);
  t.same(takeLines(), [
    'createFile state/.plan.json.*.new "one" 600',
    'syncFile state/.plan.json.*.new',
    'rename state/.plan.json.*.new state/plan.json',
    'syncFolder state',
    'createFile state/.plan.json.*.new "two" 644',
    'syncFile state/.plan.json.*.new',
    'rename state/.plan.json.*.new state/plan.json',
    'syncFolder state',
  ]);
  t.same(await inner.readFolder('/state'), ['plan.json']);
  t.equal(await inner.readFile('/state/plan.json'), 'two');
});

void t.test('what can be made anew is replaced without waiting for its name', async (t) => {
  const { durable, inner, takeLines } = await scene();
  await durable.replaceLazily('/state/report.json', 'one', 0o644);
  t.same(takeLines(), [
    'createFile state/.report.json.*.new "one" 644',
    'syncFile state/.report.json.*.new',
    'rename state/.report.json.*.new state/report.json',
  ]);
  t.equal(await inner.readFile('/state/report.json'), 'one');
});

void t.test(
  'invariant 3: a new file is written under its own name and synced, and never over another',
  async (t) => {
    const { durable, inner, takeLines } = await scene();
    await durable.create('/state/record', 'one');
    t.same(takeLines(), ['createFile state/record "one" 600', 'syncFile state/record', 'syncFolder state']);
    await t.rejects(durable.create('/state/record', 'two'), { code: 'EEXIST' });
    t.equal(await inner.readFile('/state/record'), 'one');
  },
);

void t.test('what the caller syncs at once is not synced one by one', async (t) => {
  const { fs, takeLines } = await scene();
  const files = unsyncedFiles(fs);
  await files.makeFolder('/state/a', 0o755);
  await files.replace('/state/a/mark', 'one');
  await files.remove('/state/a/mark');
  t.same(takeLines(), [
    'makeFolder state/a 755',
    'createFile state/a/.mark.*.new "one" 600',
    'rename state/a/.mark.*.new state/a/mark',
    'unlink state/a/mark',
  ]);
});

void t.test('invariant 3: a row is appended and synced, and a new file has its name synced', async (t) => {
  const { durable, takeLines } = await scene();
  await durable.appendLine('/state/journal', 'a');
  await durable.appendLine('/state/journal', 'b');
  t.same(takeLines(), [
    'appendFile state/journal "a\\n"',
    'syncFile state/journal',
    'syncFolder state',
    'appendFile state/journal "b\\n"',
    'syncFile state/journal',
  ]);
  await t.rejects(durable.appendLine('/state/journal', 'a\nb'), TypeError);
});

void t.test(
  'invariant 3: link, rename, exchange and remove sync every folder whose names changed',
  async (t) => {
    const { durable, inner, takeLines } = await scene();
    await durable.link('/var/lib/x', '/state/link');
    await durable.rename('/state/link', '/state/link.claimed');
    await durable.rename('/state/link.claimed', '/other/link');
    await inner.createFile('/state/a', 'a', 0o600);
    await durable.exchange('/state/a', '/other/link');
    t.equal(await durable.remove('/other/link'), true);
    t.equal(await durable.remove('/other/link'), false);
    t.same(takeLines(), [
      'symlink /var/lib/x state/link',
      'syncFolder state',
      'rename state/link state/link.claimed',
      'syncFolder state',
      'rename state/link.claimed other/link',
      'syncFolder other',
      'syncFolder state',
      'exchange state/a other/link',
      'syncFolder state',
      'syncFolder other',
      'unlink other/link',
      'syncFolder other',
      'unlink other/link',
    ]);
  },
);

void t.test(
  'invariant 3: folders are made one by one, each name synced; a tree goes with its name',
  async (t) => {
    const { durable, takeLines } = await scene();
    await durable.makeFolder('/state/a/b', 0o700);
    await durable.makeFolder('/state/a', 0o755);
    await durable.removeTree('/state/a');
    await durable.removeTree('/state/a');
    t.same(takeLines(), [
      'makeFolder state/a 700',
      'syncFolder state',
      'makeFolder state/a/b 700',
      'syncFolder state/a',
      'makeFolder state/a 755',
      'removeTree state/a',
      'syncFolder state',
    ]);
  },
);

void t.test('a file in place of a folder is refused', async (t) => {
  const { durable, inner } = await scene();
  await inner.createFile('/state/file', '', 0o600);
  await t.rejects(durable.makeFolder('/state/file', 0o700), { code: 'EEXIST' });
});

void t.test('broken off at any step, replace leaves the old or the new content whole', async (t) => {
  for (const step of [0, 1, 2, 3]) {
    const error = Object.assign(new Error('disk full'), { code: 'ENOSPC' });
    const { durable, inner } = await scene({
      before: (_, index) => {
        if (index === step) throw error;
      },
    });
    await inner.createFile('/state/plan', 'old', 0o600);
    await t.rejects(durable.replace('/state/plan', 'new'), error, `step ${step}`);
    t.same(await inner.readFolder('/state'), ['plan'], `no temporary file stays after step ${step}`);
    t.equal(await inner.readFile('/state/plan'), step === 3 ? 'new' : 'old', `content after step ${step}`);
  }
});

void t.test('a temporary file left by a dead process of the same pid is no obstacle', async (t) => {
  const { durable, inner, calls } = await scene();
  await durable.replace('/state/a', 'x');
  const used = String(calls[0]?.args[0]);
  const next = used.replace(/-(\d+)\.new$/, (_, count: string) => `-${Number(count) + 1}.new`);
  await inner.createFile(next, 'half', 0o600);
  await durable.replace('/state/a', 'y');
  t.same(await inner.readFolder('/state'), ['a']);
  t.equal(await inner.readFile('/state/a'), 'y');
});

void t.test('a link in the place of the file is replaced, and what it points to stays', async (t) => {
  const { durable, inner } = await scene();
  await inner.createFile('/other/target', 'keep', 0o600);
  await inner.symlink('/other/target', '/state/plan');
  await durable.replace('/state/plan', 'new');
  t.equal(await inner.readFile('/other/target'), 'keep');
  t.equal((await inner.lstat('/state/plan')).kind, 'file');
});

void t.test('an armed link is never overwritten', async (t) => {
  const { durable, inner, takeLines } = await scene();
  await inner.symlink('/foreign', '/state/link');
  await t.rejects(durable.link('/ours', '/state/link'), { code: 'EEXIST' });
  t.equal(await inner.readLink('/state/link'), '/foreign');
  t.same(takeLines(), ['symlink /ours state/link']);
});

void t.test('all of it works on the real file system', async (t) => {
  const root = t.testdir({});
  const durable = durableFiles(fileSystem);
  await durable.makeFolder(`${root}/a/b`, 0o700);
  await durable.replace(`${root}/a/b/file`, 'x', 0o640);
  await durable.appendLine(`${root}/a/b/file`, 'y');
  await durable.link('file', `${root}/a/b/link`);
  await durable.rename(`${root}/a/b/link`, `${root}/a/link`);
  t.equal(await fileSystem.readFile(`${root}/a/b/file`), 'xy\n');
  t.equal((await fileSystem.lstat(`${root}/a/b/file`)).mode, 0o640);
  t.equal(await fileSystem.readLink(`${root}/a/link`), 'file');
  t.equal(await durable.remove(`${root}/a/link`), true);
  await durable.removeTree(`${root}/a`);
  t.same(await fileSystem.readFolder(root), []);
});
