import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { pathsBelow } from '../../src/update/paths.js';
import type { KnownUpdate } from '../../src/update/store.js';
import { installBootLoader } from '../../src/update-service/boot-loader.js';
import type { Ports } from '../../src/update-service/ports.js';

type Run = Ports['run'];

const failing = { exitCode: 1, signal: undefined, stdout: '', stderr: 'no such disk\n' };
const done = { ...failing, exitCode: 0, stderr: '' };

/** What is noted in the journal, and what is left in the state folder, after these calls were put off. */
async function afterCalls(t: Test, calls: Record<string, string>, run: Run) {
  const paths = pathsBelow(t.testdir({}));
  await mkdir(paths.bootLoaderCalls, { recursive: true });
  for (const [name, text] of Object.entries(calls)) await writeFile(join(paths.bootLoaderCalls, name), text);
  const notes: unknown[] = [];
  const append = (note: unknown) => Promise.resolve(notes.push(note));
  const files = durableFiles(fileSystem);
  const log = { write: () => undefined, entry: () => Promise.resolve() };
  const update = { journal: { append } } as unknown as KnownUpdate;
  await installBootLoader({ paths, fs: fileSystem, files, run, log }, update);
  return { notes, left: await readdir(paths.state) };
}

void t.test('calls that were put off are made in their order, word for word, and forgotten', async (t) => {
  const made: unknown[] = [];
  const run: Run = (file, args) => {
    made.push([file, ...args]);
    return Promise.resolve(done);
  };
  const calls = { '2.b': '/dev/vdb\n', '1.a': '--target=i386-pc\na b\n\n', '3.c': '' };
  t.strictSame(await afterCalls(t, calls, run), { notes: [], left: [] });
  t.strictSame(made, [
    ['grub-install', '--target=i386-pc', 'a b', ''],
    ['grub-install', '/dev/vdb'],
    ['grub-install'],
  ]);
});

void t.test('a call that fails is noted with what to type, and not made again', async (t) => {
  const message =
    "the boot loader is not renewed, and still boots: no such disk; to try again: grub-install 'it'\\''s' /dev/vda";
  t.strictSame(await afterCalls(t, { 1: "it's\n/dev/vda\n" }, () => Promise.resolve(failing)), {
    notes: [{ note: 'finding', check: 'boot-loader', message }],
    left: [],
  });
});

void t.test('GRUB is gone: noted, the update is confirmed all the same', async (t) => {
  const gone: Run = () => Promise.reject(new Error('there is no grub-install'));
  const { notes, left } = await afterCalls(t, { 1: '/dev/vda\n' }, gone);
  t.match(notes, [
    { message: /still boots: Error: there is no grub-install; to try again: grub-install \/dev\/vda$/ },
  ]);
  t.strictSame(left, []);
});

void t.test('nothing was put off: nothing is run', async (t) => {
  const never: Run = () => Promise.reject(new Error('not to be run'));
  t.strictSame(await afterCalls(t, {}, never), { notes: [], left: [] });
});
