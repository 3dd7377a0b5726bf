/** The copy on a tree of its own, saved by the provider and put back by the very script that is installed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { rehearsalMachine } from '../../src/cli/rehearsal-machine.js';
import { runCommand, type RunCommand } from '../../src/host/command.js';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import type { Mount } from '../../src/host/mounts.js';
import { btrfsSnapshots } from '../../src/snapshots/btrfs/btrfs.js';
import { notePassedBy } from '../../src/snapshots/copy/committed.js';
import { copySnapshots } from '../../src/snapshots/copy/copy.js';
import type { SnapshotProvider } from '../../src/snapshots/snapshot-provider.js';
import { pathsBelow, pathsOfUpdate, type Paths } from '../../src/update/paths.js';
import { parsePlan, planText, type PackageChange, type Plan } from '../../src/update/plan.js';
import { defaultPolicy } from '../../src/update/policy.js';
import { mountAt } from '../fixtures/mount-at.js';
import { readTree, treeDifference, type Tree } from '../laboratory/machine-tree.js';
import { packagesPlan } from '../fixtures/packages-plan.js';

const id = '20261120T154935-3f2a';
const changed = (name: string, from: string | null): PackageChange => ({
  name,
  architecture: 'amd64',
  action: from === null ? 'install' : 'upgrade',
  from,
  to: '2.0',
  automatic: false,
  file: null,
  sizeBytes: 0,
  sha256: null,
});

interface CopyMachine {
  root: string;
  paths: Paths;
  provider: SnapshotProvider;
  /** As the first ordinary boots after a cut do. */
  passBy: () => Promise<void>;
  at: (path: string) => string;
  write: (path: string, text: string, mode?: number) => void;
  /** As dpkg does it: beside the old one, then renamed over it. */
  unpack: (path: string, text: string) => void;
  tree(): Promise<Tree>;
  restore(): { status: number | null; stderr: string };
}

/** Python's, of a module of the package: removed by its scripts, and made anew. */
const compiled = '/usr/lib/tool/__pycache__/module.cpython-313.pyc';
/** Written by triggers and belong to no package. */
const generated = [
  '/usr/share/mime/types',
  '/usr/share/mime/text/x-tool.xml',
  '/usr/share/info/dir',
  '/usr/lib/modules/6.12/modules.dep',
  '/usr/lib/udev/hwdb.bin',
  '/usr/share/glib-2.0/schemas/gschemas.compiled',
];

/** A machine with the package `tool`, and one that is not in the plan. */
function machine(t: Test, mounts: (root: string) => Mount[] = () => [], root = t.testdir({})): CopyMachine {
  const paths = pathsBelow(root);
  const at = (path: string): string => join(root, path);
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
    chmodSync(at(path), mode);
  };
  mkdirSync(at('/run/offline-update'), { recursive: true });
  write('/usr/lib/offline-update/restore', readFileSync('units/restore', 'utf8'), 0o755);
  symlinkSync('usr/lib', at('/lib'));
  write('/usr/bin/tool', 'tool 1\n', 0o755);
  write('/usr/bin/su-tool', 'su-tool 1\n', 0o4755);
  write('/usr/lib/tool/plain', 'plain 1\n');
  write('/usr/lib/tool/with blank\tand tab', 'odd 1\n');
  linkSync(at('/usr/lib/tool/plain'), at('/usr/lib/tool/second name'));
  symlinkSync('plain', at('/usr/lib/tool/link'));
  mkdirSync(at('/usr/share/tool/empty'), { recursive: true });
  write('/usr/lib/other', 'other 1\n');
  write('/usr/lib/tool/module.py', 'module 1\n');
  for (const path of [compiled, ...generated]) write(path, `${path} 1\n`);
  symlinkSync('/etc/alternatives/editor', at('/usr/bin/editor'));
  write('/etc/tool.conf', 'as the administrator wants it\n', 0o640);
  write('/etc/odd\nname', 'odd\n');
  symlinkSync('/var/lib/system-update', at('/etc/system-update.claimed'));
  write('/boot/vmlinuz-1', 'kernel 1\n');
  write('/boot/grub/grubenv', `# GRUB Environment Block\n${'#'.repeat(999)}`);
  write('/var/lib/dpkg/status', 'tool 1\n');
  const list =
    '/.\n/usr\n/usr/bin\n/usr/bin/tool\n/usr/bin/su-tool\n/lib/tool\n/lib/tool/plain\n/lib/tool/with blank\tand tab\n' +
    '/lib/tool/second name\n/lib/tool/link\n/lib/tool/module.py\n/usr/share/tool\n/usr/share/tool/empty\n/usr/bin/gone-already\n/etc/tool.conf\n';
  write('/var/lib/dpkg/info/tool.list', list);
  write('/var/lib/dpkg/info/other.list', '/.\n/usr/lib/other\n');
  write('/var/lib/dpkg/diversions', '');
  const changes = [changed('tool', '1.0'), changed('fresh', null)];
  const plan: Plan = {
    format: 1,
    id,
    createdAt: '2026-11-20T15:49:35.000Z',
    request: { mode: 'upgrade', packages: [] },
    payload: packagesPlan(changes),
    files: [],
    policy: defaultPolicy,
  };
  write(pathsOfUpdate(paths, id).plan.slice(root.length), planText(plan));
  const ports = { paths, fs: fileSystem, files: durableFiles(fileSystem), run: runCommand };
  return {
    root,
    paths,
    at,
    write,
    provider: copySnapshots({ ...ports, mounts: () => Promise.resolve(mounts(root)) }),
    passBy: () => notePassedBy(ports, join(paths.fallbacks, id)),
    unpack(path, text) {
      write(`${path}.dpkg-new`, text, lstatSync(at(path), { throwIfNoEntry: false })?.mode);
      renameSync(at(`${path}.dpkg-new`), at(path));
    },
    tree: () => readTree(root, { exclude: ['/var/lib/offline-update'] }),
    restore() {
      const { status, stderr } = spawnSync(join(paths.copyArmed, 'restore'), [root], { encoding: 'utf8' });
      return { status, stderr };
    },
  };
}

/** What an update does to it, and what its scripts do. */
function update({ at, write, unpack }: CopyMachine): void {
  // dpkg takes the rights away from a set-uid file before it lets go of it.
  chmodSync(at('/usr/bin/su-tool'), 0o600);
  for (const path of ['/usr/bin/tool', '/usr/bin/su-tool', '/usr/lib/tool/plain']) unpack(path, 'new\n');
  rmSync(at('/usr/lib/tool/with blank\tand tab'));
  // A link becomes a folder, a folder a link.
  unlinkSync(at('/usr/lib/tool/link'));
  mkdirSync(at('/usr/lib/tool/link'));
  write('/usr/lib/tool/link/inside', 'new\n');
  rmSync(at('/usr/share/tool'), { recursive: true });
  symlinkSync('../lib/tool', at('/usr/share/tool'));
  write('/usr/lib/fresh/file', 'new\n');
  rmSync(at(dirname(compiled)), { recursive: true });
  write(compiled.replace('313', '314'), 'made by a script\n');
  unpack('/usr/lib/tool/module.py', 'new\n');
  for (const path of generated) writeFileSync(at(path), 'written in place\n');
  write('/usr/bin/half.dpkg-new', 'half');
  rmSync(at('/usr/bin/editor'));
  writeFileSync(at('/etc/tool.conf'), 'written in place\n');
  chmodSync(at('/etc/tool.conf'), 0o600);
  write('/etc/tool.conf.dpkg-dist', 'new\n');
  rmSync(at('/etc/odd\nname'));
  write('/boot/vmlinuz-2', 'kernel 2\n');
  writeFileSync(at('/boot/grub/grubenv'), '');
  unpack('/var/lib/dpkg/status', 'tool 2\nfresh 2\n');
  unpack('/var/lib/dpkg/info/tool.list', '/.\n/usr/lib/fresh\n');
  write('/var/lib/dpkg/info/fresh.list', '/.\n/usr/lib/fresh/file\n');
  write('/var/lib/dpkg/updates/0001', 'tool\n');
  chmodSync(at('/usr/lib/tool'), 0o700);
  mkdirSync(at('/opt'), { recursive: true });
}

void t.test(
  'what an update changed is put back, what it brought is gone, and nothing else is touched',
  async (t) => {
    const copied = machine(t);
    const before = await copied.tree();
    await copied.provider.armFallback(id);
    t.strictSame(treeDifference(before, await copied.tree()), [], 'saving changes nothing');
    update(copied);
    t.ok(treeDifference(before, await copied.tree()).length > 15);
    t.strictSame(copied.restore(), { status: 0, stderr: '' });
    t.strictSame(treeDifference(before, await copied.tree()), []);
    t.equal(
      readFileSync(copied.paths.fallbackMark, 'utf8'),
      `{"format":1,"id":"${id}","provider":"copy","failedRoot":""}\n`,
    );
    t.equal(
      lstatSync(copied.paths.copyArmed, { throwIfNoEntry: false }),
      undefined,
      'it is not to be put back again',
    );
    t.ok(lstatSync(copied.paths.copyRestored).isSymbolicLink());
  },
);

void t.test(
  'files that only dpkg touches cost no space; what can be written in place is a copy',
  async (t) => {
    const copied = machine(t);
    await copied.provider.armFallback(id);
    const isShared = (path: string): boolean =>
      lstatSync(copied.at(path)).ino === lstatSync(join(copied.paths.fallbacks, id, 'tree', path)).ino;
    const shares = spawnSync('cp', ['--reflink=always', 'units/claim', join(copied.root, 'x')]).status === 0;
    for (const path of ['/usr/bin/tool', '/usr/lib/tool/link', compiled, '/var/lib/dpkg/info/tool.list']) {
      t.equal(isShared(path), !shares, path);
    }
    const written = ['/usr/bin/su-tool', '/etc/tool.conf', '/boot/vmlinuz-1', '/var/lib/dpkg/status'];
    for (const path of [...written, ...generated]) {
      t.equal(isShared(path), false, path);
    }
  },
);

/** A folder of programs that are the real ones until the one before which everything ends at once, as in a power cut. */
function programsUntil(copied: CopyMachine, cut: number): string {
  const folder = copied.at('/tmp/programs');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const script = `#!/bin/bash
echo >>${folder}/count
[ "$(/usr/bin/wc -l <${folder}/count)" -lt ${cut} ] || kill -KILL 0
exec /usr/bin/\${0##*/} "$@"
`;
  for (const program of 'cmp comm cp find grep ln mkdir mv rm sed sh sha256sum sort stat sync tr xargs'.split(
    ' ',
  )) {
    writeFileSync(join(folder, program), script, { mode: 0o755 });
  }
  return folder;
}

void t.test('cut at any moment, it is put back when it may come to its end', async (t) => {
  let cuts = 0;
  for (let cut = 1; ; cut += 17) {
    const copied = machine(t);
    const before = await copied.tree();
    await copied.provider.armFallback(id);
    update(copied);
    const env = { ...process.env, PATH: `${programsUntil(copied, cut)}:${process.env['PATH'] ?? ''}` };
    const restore = spawn(join(copied.paths.fallbacks, id, 'restore'), [copied.root], {
      env,
      detached: true,
    });
    const [status] = (await once(restore, 'exit')) as [number | null];
    if (status === 0) break;
    cuts += 1;
    t.ok(lstatSync(copied.paths.copyArmed).isSymbolicLink(), `cut before program ${cut}: still armed`);
    t.strictSame(copied.restore(), { status: 0, stderr: '' });
    t.strictSame(treeDifference(before, await copied.tree()), []);
  }
  t.ok(cuts > 5, `${cuts} cuts`);
});

void t.test('a list that is damaged takes nothing away', async (t) => {
  const copied = machine(t);
  await copied.provider.armFallback(id);
  update(copied);
  const updated = await copied.tree();
  writeFileSync(join(copied.paths.fallbacks, id, 'names'), '');
  t.not(copied.restore().status, 0);
  t.strictSame(treeDifference(updated, await copied.tree()), []);
  t.ok(lstatSync(copied.paths.copyArmed).isSymbolicLink(), 'and it is tried again');
});

void t.test('while dpkg is at work nothing is put back: the next boot does it', async (t) => {
  const copied = machine(t);
  copied.write('/var/lib/dpkg/lock', '');
  await copied.provider.armFallback(id);
  update(copied);
  const updated = await copied.tree();
  const hold =
    '$| = 1; open(my $f, "+<", $ARGV[0]); my $l = pack("ssx4qqi", F_WRLCK, 0, 0, 0, 0); fcntl($f, F_SETLK, $l) or die; print "held\n"; sleep';
  const dpkg = spawn('perl', ['-MFcntl', '-e', hold, copied.at('/var/lib/dpkg/lock')]);
  t.teardown(() => dpkg.kill());
  await once(dpkg.stdout, 'data');
  t.strictSame(copied.restore(), { status: 1, stderr: 'dpkg is still at work\n' });
  t.strictSame(treeDifference(updated, await copied.tree()), []);
  dpkg.kill();
  await once(dpkg, 'exit');
  t.equal(copied.restore().status, 0);
});

void t.test('the life of a copy: armed, committed, listed, armed again by hand, pruned', async (t) => {
  const copied = machine(t);
  const { provider, paths } = copied;
  const fallback = await provider.armFallback(id);
  t.strictSame(fallback, { provider: 'copy', reference: id, inPlace: '/' });
  t.strictSame(await provider.list(), [], 'no fallback of a system that is not proven');
  update(copied);
  await provider.commit(fallback);
  t.equal(lstatSync(paths.copyArmed, { throwIfNoEntry: false }), undefined);
  t.match(await provider.list(), [
    { provider: 'copy', reference: id, id, covers: /^the files of the packages/ },
  ]);
  await provider.prune(1);
  t.match(await provider.list(), [
    { provider: 'copy', reference: id, id, covers: /^the files of the packages/ },
  ]);
  await provider.revert(fallback, id);
  t.equal(lstatSync(paths.copyArmed).isSymbolicLink(), true);
  t.equal(lstatSync(`${paths.triggers[0]}.claimed`).isSymbolicLink(), true);
  await provider.prune(0);
  t.ok(lstatSync(join(paths.fallbacks, id)).isDirectory(), 'what is armed is never removed');
  unlinkSync(paths.copyArmed);
  copied.unpack('/var/lib/dpkg/status', 'tool 3\n');
  t.strictSame(await provider.list(), [], 'packages were changed since: it no longer fits');
  await t.rejects(provider.revert(fallback, id), { code: 'SNAPSHOT_UNAVAILABLE' });
  await provider.prune(1);
  t.equal(lstatSync(join(paths.fallbacks, id), { throwIfNoEntry: false }), undefined);
});

void t.test('what cannot be saved leaves nothing behind', async (t) => {
  const copied = machine(t);
  rmSync(copied.at('/usr/lib/offline-update/restore'));
  await t.rejects(copied.provider.armFallback(id));
  t.equal(lstatSync(copied.paths.copyArmed, { throwIfNoEntry: false }), undefined);
  t.equal(
    lstatSync(join(copied.paths.fallbacks, id), { throwIfNoEntry: false }),
    undefined,
    'nor takes it space, which may be what was missing',
  );
});

void t.test('what is mounted below /boot is saved as a file system of its own', async (t) => {
  const firmware = { source: '/dev/mmcblk0p1', device: '179:1', type: 'vfat' };
  const copied = machine(t, (root) => [mountAt(join(root, 'boot/firmware'), firmware)]);
  copied.write('/boot/firmware/kernel8.img', 'kernel 1\n');
  await copied.provider.armFallback(id);
  t.equal(readFileSync(join(copied.paths.fallbacks, id, 'mounted'), 'utf8'), 'boot/firmware\n');
});

void t.test('a copy below a /var that is mounted noexec is put back', async (t) => {
  const copied = machine(t);
  const before = await copied.tree();
  const fallback = await copied.provider.armFallback(id);
  update(copied);
  chmodSync(join(copied.paths.fallbacks, id, 'restore'), 0o644);
  await copied.provider.revert(fallback, id);
  t.strictSame(treeDifference(before, await copied.tree()), []);
});

void t.test(
  'a package database behind a link is not saved, and never taken for one that is absent',
  async (t) => {
    const copied = machine(t);
    mkdirSync(copied.at('/data'));
    renameSync(copied.at('/var/lib/dpkg'), copied.at('/data/dpkg'));
    symlinkSync('../../data/dpkg', copied.at('/var/lib/dpkg'));
    const reason = '/var/lib/dpkg is a symlink, not a folder';
    t.strictSame(await copied.provider.probe(), {
      usable: false,
      reason: `what an update replaces cannot be saved: ${reason}`,
    });
    await t.rejects(copied.provider.armFallback(id), { code: 'SNAPSHOT_UNAVAILABLE', message: reason });
  },
);

function recording(answer: (args: readonly string[]) => string): { run: RunCommand; asked: string[][] } {
  const asked: string[][] = [];
  const run: RunCommand = (file, args) => {
    asked.push([file, ...args]);
    return Promise.resolve({ exitCode: 0, signal: undefined, stdout: answer(args), stderr: '' });
  };
  return { run, asked };
}

void t.test('what it would copy is measured when that is asked, not by the probe', async (t) => {
  const { paths, at } = machine(t);
  const { run, asked } = recording(() => `4096\t${at('/etc')}\n1000\t${at('/boot')}\n`);
  const provider = copySnapshots({ paths, fs: fileSystem, files: durableFiles(fileSystem), run });
  const { usable, copiedBytes } = await provider.probe();
  t.equal(usable, true);
  t.strictSame(asked, []);
  t.equal(await copiedBytes?.(), 4096 + 1000 + 8 * 1024 * 1024, 'and what links take');
  const links = ['info', 'alternatives'].map((name) => `--exclude=${at(`/var/lib/dpkg/${name}`)}`);
  const copies = ['/etc', '/boot', '/var/lib/dpkg'].map(at);
  t.strictSame(asked, [['du', '--summarize', '--block-size=1', ...links, '--', ...copies]]);
});

void t.test(
  'a copy is no root that can be thrown away as a whole, a btrfs snapshot leaves one',
  async (t) => {
    const { paths, root, provider } = machine(t);
    const options = ['rw', 'subvolid=256', 'subvol=/@'];
    const mount = mountAt(root, { source: '/dev/sda2', type: 'btrfs', root: '/@', options });
    const { run } = recording((args) =>
      args.includes('get-default') ? 'ID 256 gen 10 top level 5 path @' : '',
    );
    const kernel = {
      mounts: () => Promise.resolve([mount]),
      commandLine: () => Promise.resolve([]),
      swapFiles: () => Promise.resolve([]),
    };
    const btrfs = btrfsSnapshots({ paths, fs: fileSystem, files: durableFiles(fileSystem), run, kernel });
    const plan = parsePlan(readFileSync(pathsOfUpdate(paths, id).plan, 'utf8'));
    for (const [snapshots, isWhole] of [
      [provider, false],
      [btrfs, true],
    ] as const) {
      const foreseen = await rehearsalMachine(paths, run, snapshots).fallback(plan);
      t.strictSame(foreseen, { keepsOldFiles: true, isWhole, sparesSyncs: isWhole }, snapshots.name);
    }
  },
);

/** Proven, and taken back from a system that has gone on. */
async function rollBackLater(copied: CopyMachine, meanwhile: () => void): Promise<void> {
  copied.write('/usr/local/bin/own', 'own 1\n');
  const fallback = await copied.provider.armFallback(id);
  update(copied);
  await copied.provider.commit(fallback);
  await copied.provider.revert(fallback, id);
  meanwhile();
}

void t.test('a rollback takes away what the update brought, and not what has come since', async (t) => {
  const copied = machine(t);
  const before = await copied.tree();
  await rollBackLater(copied, () => {
    copied.write('/usr/local/bin/own-2', 'by hand\n');
    copied.write('/opt/vendor/data', 'of a service\n');
    copied.write('/usr/lib/fresh/data', 'in a folder that the update brought\n');
  });
  t.strictSame(copied.restore(), { status: 0, stderr: '' });
  const left = treeDifference(before, await copied.tree());
  for (const path of ['usr/lib/fresh/file', compiled.replace('313', '314'), 'usr/bin/half.dpkg-new']) {
    t.equal(lstatSync(copied.at(path), { throwIfNoEntry: false }), undefined, path);
  }
  for (const path of ['usr/local/bin/own', 'usr/local/bin/own-2', 'opt/vendor/data', 'usr/lib/fresh/data']) {
    t.ok(lstatSync(copied.at(path)).isFile(), path);
  }
  t.ok(
    left.every((line) => /usr\/local|opt|usr\/lib\/fresh|system-update/.test(line)),
    left.join('; '),
  );
});

void t.test('what comes in the boots that are led past a cut update is spared', async (t) => {
  const copied = machine(t);
  const before = await copied.tree();
  await copied.provider.armFallback(id);
  update(copied);
  await copied.passBy();
  copied.write('/usr/local/bin/own-2', 'by hand\n');
  await copied.passBy();
  copied.write('/opt/vendor/data', 'of a service\n');
  t.strictSame(copied.restore(), { status: 0, stderr: '' });
  const left = treeDifference(before, await copied.tree());
  t.strictSame(
    left.filter((line) => !line.includes('system-update')),
    [
      '+ /opt',
      '+ /opt/vendor',
      '+ /opt/vendor/data',
      '+ /usr/local',
      '+ /usr/local/bin',
      '+ /usr/local/bin/own-2',
    ],
  );
});

void t.test('a list of that kind that a power cut has torn is of no account', async (t) => {
  const copied = machine(t);
  const before = await copied.tree();
  await copied.provider.armFallback(id);
  update(copied);
  await copied.passBy();
  writeFileSync(join(copied.paths.fallbacks, id, 'brought'), '');
  t.strictSame(copied.restore(), { status: 0, stderr: '' });
  const left = treeDifference(before, await copied.tree());
  t.strictSame(
    left.filter((line) => !line.includes('system-update')),
    [],
  );
});

void t.test(
  'packages that are changed before the reboot of a rollback keep it from being carried out',
  async (t) => {
    const copied = machine(t);
    await rollBackLater(copied, () => {
      copied.unpack('/var/lib/dpkg/status', 'tool 3\nfresh 2\n');
    });
    const updated = await copied.tree();
    const told = 'packages were changed after the update: the copy no longer fits, and nothing is put back\n';
    t.strictSame(copied.restore(), { status: 1, stderr: told });
    t.strictSame(treeDifference(updated, await copied.tree()), []);
  },
);

void t.test('a rollback that lacks a file system of the copy is one of which nothing is begun', async (t) => {
  const copied = machine(t, (root) => [mountAt(join(root, 'var/lib/pam'))]);
  copied.write('/var/lib/pam/seen', '');
  await rollBackLater(copied, () => undefined);
  const updated = await copied.tree();
  const { status, stderr } = copied.restore();
  t.not(status, 0);
  t.match(stderr, /var\/lib\/pam/);
  t.strictSame(treeDifference(updated, await copied.tree()), []);
  t.notOk(existsSync(join(copied.paths.copyArmed, 'begun')));
});

void t.test('a way back that fails does not make the copy one of the present system', async (t) => {
  const copied = machine(t);
  const fallback = await copied.provider.armFallback(id);
  update(copied);
  await copied.provider.commit(fallback);
  copied.unpack('/var/lib/dpkg/status', 'tool 3\nfresh 2\n');
  await copied.provider.commit(fallback);
  t.strictSame(await copied.provider.list(), []);
});

void t.test('it is put back on a disk that the update has filled', async (t) => {
  const disk = t.testdir({});
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'full', disk]);
  if (mounted.status !== 0) {
    t.plan(0, 'it takes root and mounts');
    return;
  }
  try {
    const copied = machine(t, undefined, disk);
    const before = await copied.tree();
    await copied.provider.armFallback(id);
    update(copied);
    const fill = `head -c 16M /dev/zero >${copied.at('/usr/lib/fresh/big')}`;
    t.not(spawnSync('sh', ['-c', fill]).status, 0, 'the disk is full');
    t.strictSame(copied.restore(), { status: 0, stderr: '' });
    t.strictSame(treeDifference(before, await copied.tree()), []);
  } finally {
    spawnSync('umount', ['--lazy', disk]); // before tap removes the folder
  }
});
