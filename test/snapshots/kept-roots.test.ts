import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import t from 'tap';
import type { RunCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import { listKept, ownRoots, pruneRoots } from '../../src/snapshots/btrfs/kept-roots.js';
import type { UpdateEvent } from '../../src/update/events.js';
import { markText } from '../../src/update/fallback-mark.js';
import { Journal } from '../../src/update/journal.js';
import { pathsBelow, pathsOfUpdate } from '../../src/update/paths.js';

const id = '20261120T154935-3f2a';
const running = { device: '/dev/vda2', name: '@', id: 256 };

const refused: UpdateEvent[] = [
  { event: 'prepared', planHash: 'aa' },
  { event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' },
  { event: 'claimed', attempt: 1 },
  { event: 'refused', reason: { code: 'SERVICE_CRASHED', message: 'it was killed in the check' } },
];
const installed: UpdateEvent[] = [
  ...refused.slice(0, 3),
  { event: 'installing', attempt: 1, fallback: { provider: 'btrfs', reference: '@' } },
  { event: 'installed', attempt: 1 },
];

/** The running root with what it tells of an update, and the root beside it that is marked as its fallback. */
async function machineWith(top: string, events: readonly UpdateEvent[]) {
  const paths = pathsBelow(join(top, '@'));
  const { fallbackMark } = pathsBelow(join(top, `@.offline-update-${id}`));
  mkdirSync(dirname(fallbackMark), { recursive: true });
  writeFileSync(fallbackMark, markText({ id, provider: 'btrfs', failedRoot: '@', role: 'fallback' }));
  const deleted: string[] = [];
  const run: RunCommand = (_file, args) => {
    if (args[1] === 'delete') deleted.push(basename(args.at(-1) ?? ''));
    const stdout = args[1] === 'get-default' ? 'ID 5 (FS_TREE)' : args.at(-1)?.endsWith('/@') ? '256' : '300';
    return Promise.resolve({ exitCode: 0, signal: undefined, stdout, stderr: '' });
  };
  const files = durableFiles(fileSystem);
  const path = pathsOfUpdate(paths, id).journal;
  if (events.length > 0) {
    mkdirSync(dirname(path), { recursive: true });
    const moment = { now: () => new Date(0), bootId: 'b' };
    const journal = await Journal.open(path, fileSystem, files, moment);
    for (const event of events) await journal.append(event);
  }
  const kernel = {
    mounts: () => Promise.resolve([]),
    commandLine: () => Promise.resolve(['rootflags=subvol=@']),
    swapFiles: () => Promise.resolve([]),
  };
  return { path, deleted, ports: { paths, fs: fileSystem, files, run, kernel } };
}

void t.test('a root that was set aside before the first change is no way back', async (t) => {
  const top = t.testdir({ '@': {} });
  const { ports } = await machineWith(top, refused);
  t.match(await ownRoots(ports, top, running), [{ id, is: 'residue' }]);
  t.strictSame(await listKept(ports, top, running), []);
});

void t.test('it is one when the install had begun, and when the history does not tell', async (t) => {
  const tells = await machineWith(t.testdir({ '@': {} }), installed);
  const top = dirname(tells.ports.paths.root);
  t.match(await listKept(tells.ports, top, running), [{ id }]);
  appendFileSync(tells.path, '{"sequence":6,"entry":{"event":"confirmed"},"check":"damaged"}\n');
  t.match(await listKept(tells.ports, top, running), [{ id }], 'it cannot be read');
});

void t.test('it is one when the history is gone', async (t) => {
  const top = t.testdir({ '@': {} });
  const { ports } = await machineWith(top, []);
  t.match(await listKept(ports, top, running), [{ id }]);
});

void t.test(
  'between a rollback and its reboot, the root that boots next by its name is not ours to remove',
  async (t) => {
    const top = t.testdir({ '@': {} });
    const { ports, deleted } = await machineWith(top, installed);
    const rollback = '20261121T090000-0001';
    const [left, chosen] = [join(top, `@.offline-update-${rollback}`), join(top, `@.offline-update-${id}`)];
    renameSync(join(top, '@'), left);
    renameSync(chosen, join(top, '@'));
    const mark = {
      id,
      provider: 'btrfs',
      failedRoot: basename(left),
      role: 'rollback',
      rootId: 256,
    } as const;
    writeFileSync(pathsBelow(join(top, '@')).fallbackMark, markText({ ...mark, rollback, holds: [] }));
    const after = { ...ports, paths: pathsBelow(left) };
    const runs = { device: '/dev/vda2', name: basename(left), id: 300 };
    t.strictSame(await listKept(after, top, runs), [], 'it is no longer one to go back to');
    await pruneRoots(after, top, runs, { keep: 0, minimumFreePercent: 0 });
    t.strictSame(deleted, []);
  },
);
