import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCommand, type RunCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { rollBack } from '../../src/snapshots/btrfs/roll-back.js';
import { pathsBelow } from '../../src/update/paths.js';

const id = '20261120T154935-3f2a';
const later = '20261121T090000-0001';

void t.test('a /boot that cannot be put back now is left to the first boot of the fallback', async (t) => {
  const top = t.testdir({ '@': {}, old: {} });
  const [paths, target] = [pathsBelow(join(top, '@')), pathsBelow(join(top, 'old'))];
  mkdirSync(join(target.fallbacks, id), { recursive: true });
  symlinkSync(id, target.copyArmed);
  writeFileSync(join(target.fallbacks, id, 'restore'), 'echo dpkg is still at work >&2; exit 1\n');
  const calls: string[] = [];
  const run: RunCommand = (file, args, options) => {
    if (file !== 'btrfs') return runCommand(file, args, options);
    calls.push(args.slice(0, -1).join(' '));
    return Promise.resolve({ exitCode: 0, signal: undefined, stdout: '257', stderr: '' });
  };
  const none = { mounts: () => Promise.resolve([]), commandLine: () => Promise.resolve([]) };
  const kernel = { ...none, swapFiles: () => Promise.resolve([]) };
  const ports = { paths, fs: fileSystem, files: durableFiles(fileSystem), run, kernel };
  const layout = { by: 'default' as const, device: '/dev/vda2', name: '@', id: 256, nested: [], told: '' };
  const reference = { by: 'default' as const, root: '@', rootId: 256, other: 'old', otherId: 257 };
  await rollBack(ports, top, layout, reference, later);
  t.strictSame(calls, ['inspect-internal rootid', 'subvolume set-default 257']);
  t.match(readFileSync(paths.fallbackMark, 'utf8'), /"role":"kept"/, 'and the rollback stands');
  t.equal(readFileSync(target.copyArmed + '/restore', 'utf8').length > 0, true, 'still armed there');
});
