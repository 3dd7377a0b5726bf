import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
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

void t.test('a snapshot whose id cannot be told is deleted again, and nothing boots it', async (t) => {
  const { ports, top, layout, paths, exchanged } = machine(t, () => undefined);
  await t.rejects(arm(ports, top, layout, id), { code: 'SNAPSHOT_FAILED' });
  t.strictSame(await fileSystem.readFolder(top), ['@']);
  t.notOk(existsSync(paths.fallbackArmed));
  t.strictSame(exchanged, []);
});

void t.test('until it may be armed nothing leads to the snapshot', async (t) => {
  const { ports, top, layout, paths, exchanged } = machine(t, (path) =>
    path.endsWith('/@') ? '256' : '300',
  );
  let proceed = (): void => undefined;
  const when = new Promise<void>((resolve) => {
    proceed = resolve;
  });
  const arming = arm(ports, top, layout, id, { when });
  const mark = join(top, `@.offline-update-${id}`, 'var/lib/offline-update/fallback.json');
  for (let tries = 0; !existsSync(mark) && tries < 500; tries += 1) await setTimeout(10);
  await setTimeout(50);
  t.ok(existsSync(mark), 'it is made, and marked');
  t.notOk(existsSync(paths.fallbackArmed));
  t.strictSame(exchanged, []);
  proceed();
  t.match(await arming, { otherId: 300 });
  t.ok(existsSync(paths.fallbackArmed));
  t.equal(exchanged.length, 1);
});

void t.test('one that is not needed is deleted again', async (t) => {
  const { ports, top, layout, paths, exchanged } = machine(t, (path) =>
    path.endsWith('/@') ? '256' : '300',
  );
  const refused = Promise.reject(new Error('the stage is not as sealed'));
  refused.catch(() => undefined);
  await t.rejects(arm(ports, top, layout, id, { when: refused }), { message: 'the stage is not as sealed' });
  t.strictSame(await fileSystem.readFolder(top), ['@']);
  t.notOk(existsSync(paths.fallbackArmed));
  t.ok(exchanged.length === 0);
});
