import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { RunCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { arm } from '../../src/snapshots/btrfs/arm.js';
import { pathsBelow } from '../../src/update/paths.js';

void t.test('a snapshot whose id cannot be told is deleted again, and nothing boots it', async (t) => {
  const top = t.testdir({ '@': {} });
  const paths = pathsBelow(join(top, '@'));
  mkdirSync(paths.runFolder, { recursive: true });
  /** Folders for subvolumes. */
  const run: RunCommand = (file, args) => {
    const words = [file, ...args.slice(0, 2)].join(' ');
    const last = args.at(-1) ?? '';
    if (words === 'btrfs subvolume snapshot') mkdirSync(last);
    if (words === 'btrfs subvolume delete') rmSync(last, { recursive: true });
    const isUnknown = words.startsWith('btrfs inspect-internal');
    const stderr = isUnknown ? 'ERROR: cannot get the id' : '';
    return Promise.resolve({ exitCode: isUnknown ? 1 : 0, signal: undefined, stdout: '', stderr });
  };
  const kernel = {
    mounts: () => Promise.resolve([]),
    commandLine: () => Promise.resolve([]),
    swapFiles: () => Promise.resolve([]),
  };
  const exchanged: string[] = [];
  const exchange = (a: string): Promise<void> => Promise.resolve(void exchanged.push(a));
  const fs = { ...fileSystem, exchange };
  const ports = { paths, fs, files: durableFiles(fileSystem), run, kernel };
  const layout = { by: 'name' as const, device: '/dev/vda2', name: '@', id: 256, nested: [], told: '' };
  await t.rejects(arm(ports, top, layout, '20261120T154935-3f2a'), { code: 'SNAPSHOT_FAILED' });
  t.strictSame(await fileSystem.readFolder(top), ['@']);
  t.notOk(existsSync(paths.fallbackArmed));
  t.strictSame(exchanged, []);
});
