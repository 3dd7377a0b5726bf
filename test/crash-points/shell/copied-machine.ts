/**
 * A small machine in a folder whose old system is saved by the product as a copy, and what an update makes of it: files
 * replaced by a rename and in their place, new ones, missing ones, a folder that became a file, a kernel in /boot.
 */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync, chmodSync, copyFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { RunCommand } from '../../../src/host/command.js';
import { durableFiles } from '../../../src/host/durable-files.js';
import { fileSystem, type FileSystem } from '../../../src/host/file-system.js';
import type { SavePorts } from '../../../src/snapshots/copy/save.js';
import { emptySelection, type Selection } from '../../../src/snapshots/copy/selection.js';
import { pathsBelow } from '../../../src/update/paths.js';
import { planText, type Plan } from '../../../src/update/plan.js';
import { defaultPolicy } from '../../../src/update/policy.js';
import { plannedChanges } from '../model/stand-in-payload.js';
import { updateId } from '../model/fresh-disk.js';
import { lookAt } from './traced.js';

export const copy = `var/lib/offline-update/fallbacks/${updateId}`;
export const mark = { id: updateId, provider: 'copy', failedRoot: '' };

const plan: Plan = {
  format: 1,
  id: updateId,
  createdAt: '2026-11-20T15:49:35.000Z',
  request: { mode: 'upgrade', packages: [] },
  payload: {
    ...plannedChanges(new Map()),
    changes: plannedChanges(new Map())
      .changes.slice(0, 1)
      .map((change) => ({ ...change, name: 'tool' })),
  },
  files: [],
  policy: defaultPolicy,
};

export const selection: Selection = {
  ...emptySelection(),
  linked: ['usr/bin/tool', 'usr/share/same', 'usr/share/doc/text'],
  copied: ['etc', 'boot', 'var/lib/dpkg'],
  folders: ['usr/share/empty'],
  whole: ['etc', 'boot', 'var/lib/dpkg'],
  mounted: ['boot'],
  walked: ['usr'],
  absent: ['opt'],
};

/**
 * /boot is a file system of its own: no link leads there, and nothing has to be mounted. What is synced is a matter of the
 * model disk: the real one would only be slow.
 */
export const programs = {
  sync: 'exit 0',
  ln: 'case "$*" in */boot/*) exit 1 ;; esac\nexec /usr/bin/ln "$@"',
  mountpoint: 'exit 0',
};

function put(root: string, path: string, text: string, mode = 0o644): void {
  const place = join(root, path);
  mkdirSync(dirname(place), { recursive: true });
  // A new inode, as dpkg does it.
  writeFileSync(`${place}.new`, text, { mode });
  chmodSync(`${place}.new`, mode);
  renameSync(`${place}.new`, place);
}

export function makeOld(root: string): void {
  put(root, 'usr/bin/tool', 'tool 1\n', 0o755);
  put(root, 'usr/share/same', 'the same in both\n');
  put(root, 'usr/share/doc/text', 'text 1\n');
  mkdirSync(join(root, 'usr/share/empty'), { mode: 0o750 });
  put(root, 'etc/tool.conf', 'value=1\n', 0o600);
  put(root, 'var/lib/dpkg/status', 'tool 1\n');
  put(
    root,
    'var/lib/dpkg/info/tool.list',
    '/usr/bin/tool\n/usr/share/doc/text\n/usr/share/empty\n/usr/share/same\n',
  );
  put(root, `var/lib/offline-update/updates/${updateId}/plan.json`, planText(plan));
  put(root, 'boot/vmlinuz-1', 'kernel 1\n');
  put(root, 'boot/grub.cfg', 'linux vmlinuz-1\n');
  symlinkSync('tool.conf', join(root, 'etc/link'));
  mkdirSync(join(root, 'var/lib/offline-update/fallbacks'), { recursive: true });
  mkdirSync(join(root, 'usr/lib/offline-update'), { recursive: true });
  copyFileSync('units/restore', join(root, 'usr/lib/offline-update/restore'));
  chmodSync(join(root, 'usr/lib/offline-update/restore'), 0o755);
}

export function makeNew(root: string): void {
  put(root, 'usr/bin/tool', 'tool 2, longer\n', 0o755);
  put(root, 'usr/share/new', 'new\n');
  rmSync(join(root, 'usr/share/doc'), { recursive: true });
  put(root, 'usr/share/doc', 'a file now\n');
  rmSync(join(root, 'usr/share/empty'), { recursive: true });
  writeFileSync(join(root, 'etc/tool.conf'), 'value=2\n');
  put(root, 'etc/new.d/part', 'new\n');
  rmSync(join(root, 'etc/link'));
  put(root, 'var/lib/dpkg/status', 'tool 2\n');
  put(root, 'opt/tool', 'new\n');
  put(root, 'boot/vmlinuz-2', 'kernel 2\n');
  put(root, 'boot/grub.cfg', 'linux vmlinuz-2\n');
  rmSync(join(root, 'boot/vmlinuz-1'));
}

/** All but our own record, by path: kind, mode and content. */
export function systemOf(root: string): Record<string, string> {
  const found = [...lookAt(root)].filter(([path]) => !path.startsWith('var/lib/offline-update'));
  return Object.fromEntries(
    found.map(([path, { kind, mode, text }]) => [path, `${kind} ${mode.toString(8)} ${text}`]),
  );
}

const run: RunCommand = (file, args, { cwd, env } = {}) => {
  // The size of the space in reserve says nothing here, and each look reads all files.
  const words = file === 'fallocate' ? ['--length', '1', 'reserve'] : args;
  const ended = spawnSync(file, words, { cwd, env: { ...process.env, ...env }, encoding: 'utf8' });
  const { status, stdout, stderr } = ended;
  return Promise.resolve({
    exitCode: status ?? undefined,
    signal: undefined,
    stdout: stdout.trimEnd(),
    stderr,
  });
};

export function copyPorts(root: string, fs: FileSystem = fileSystem): SavePorts {
  return { paths: pathsBelow(root), fs, files: durableFiles(fs), run };
}
