import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RunCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { arm } from '../../src/snapshots/btrfs/arm.js';
import { pathsBelow } from '../../src/update/paths.js';

/** A machine whose subvolumes are folders, and what was exchanged. */
function machine(t: Test, idOf: (path: string) => string | undefined) {
  const top = t.testdir({ '@': {} });
  const paths = pathsBelow(join(top, '@'));
  mkdirSync(paths.runFolder, { recursive: true });
  const run: RunCommand = (file, args) => {
    const words = [file, ...args.slice(0, 2)].join(' ');
    const last = args.at(-1) ?? '';
    if (words === 'btrfs subvolume snapshot') mkdirSync(last);
    if (words === 'btrfs subvolume delete') rmSync(last, { recursive: true });
    const id = words.startsWith('btrfs inspect-internal') ? idOf(last) : '';
    const stderr = id === undefined ? 'ERROR: cannot get the id' : '';
    return Promise.resolve({
      exitCode: id === undefined ? 1 : 0,
      signal: undefined,
      stdout: id ?? '',
      stderr,
    });
  };
  const kernel = {
    mounts: () => Promise.resolve([]),
    commandLine: () => Promise.resolve([]),
    swapFiles: () => Promise.resolve([]),
  };
  const exchanged: string[] = [];
  const exchange = (a: string): Promise<void> => Promise.resolve(void exchanged.push(a));
  const fs = { ...fileSystem, exchange, syncFileSystem: () => Promise.resolve() };
  const ports = { paths, fs, files: durableFiles(fileSystem), run, kernel };
  const layout = { by: 'name' as const, device: '/dev/vda2', name: '@', id: 256, nested: [], told: '' };
  return { top, paths, ports, layout, exchanged };
}

const id = '20261120T154935-3f2a';
const idOf = (path: string): string => (path.endsWith('/@') ? '256' : '300');

void t.test('a snapshot whose id cannot be told is deleted again, and nothing boots it', async (t) => {
  const { ports, top, layout, paths, exchanged } = machine(t, () => undefined);
  await t.rejects(arm(ports, top, layout, id), { code: 'SNAPSHOT_FAILED' });
  t.strictSame(await fileSystem.readFolder(top), ['@']);
  t.notOk(existsSync(paths.fallbackArmed));
  t.strictSame(exchanged, []);
});

void t.test('until it may be armed nothing leads to the snapshot', async (t) => {
  const { ports, top, layout, paths, exchanged } = machine(t, idOf);
  const mark = join(top, `@.offline-update-${id}`, 'var/lib/offline-update/fallback.json');
  const look = () => ({
    marked: existsSync(mark),
    armed: existsSync(paths.fallbackArmed),
    exchanged: exchanged.length,
  });
  let before: ReturnType<typeof look> | undefined;
  // Looks at the very moment when it is waited for.
  const when = {
    then(proceed: (value: unknown) => void) {
      before = look();
      proceed(undefined);
    },
  };
  t.match(await arm(ports, top, layout, id, { when: when as Promise<unknown> }), { otherId: 300 });
  t.strictSame(before, { marked: true, armed: false, exchanged: 0 });
  t.strictSame(look(), { marked: true, armed: true, exchanged: 1 });
});

void t.test('one that is not needed is deleted again', async (t) => {
  const { ports, top, layout, paths, exchanged } = machine(t, idOf);
  const refused = Promise.reject(new Error('the stage is not as sealed'));
  refused.catch(() => undefined);
  await t.rejects(arm(ports, top, layout, id, { when: refused }), { message: 'the stage is not as sealed' });
  t.strictSame(await fileSystem.readFolder(top), ['@']);
  t.notOk(existsSync(paths.fallbackArmed));
  t.strictSame(exchanged, []);
});
