import { chmodSync } from 'node:fs';
import t from 'tap';
import { join } from 'node:path';
import { fileSystem } from '../../src/host/file-system.js';
import { isErrno, isHostError } from '../../src/host/host-error.js';
import { memoryFileSystem } from '../fixtures/memory-file-system.js';
import { recordingFileSystem } from '../fixtures/recording-file-system.js';

const code = (code: string): { code: string } => ({ code });

const layers = {
  'the real file system': () => fileSystem,
  'the one in memory': memoryFileSystem,
  'the recording layer': () => recordingFileSystem(fileSystem).fs,
};

for (const [name, open] of Object.entries(layers)) {
  void t.test(name, async (t) => {
    const fs = open();
    const root = t.testdir({});
    await fs.makeFolder(root, 0o755);
    const at = (path: string): string => join(root, path);

    void t.test(
      'a file is made with exactly its mode, whatever the umask, and never over a name',
      async (t) => {
        const umask = process.umask(0o077);
        t.teardown(() => process.umask(umask));
        await fs.createFile(at('file'), 'héllo\n', 0o644);
        const { kind, size, mode, links } = await fs.lstat(at('file'));
        t.same({ kind, size, mode, links }, { kind: 'file', size: 7, mode: 0o644, links: 1 });
        t.equal(await fs.readFile(at('file')), 'héllo\n');
        await fs.symlink('nowhere', at('dangling'));
        await t.rejects(fs.createFile(at('file'), '', 0o600), code('EEXIST'));
        await t.rejects(fs.createFile(at('dangling'), '', 0o600), code('EEXIST'));
      },
    );

    void t.test('append makes a file for root alone and goes through no link', async (t) => {
      await fs.appendFile(at('rows'), 'a\n');
      await fs.appendFile(at('rows'), 'b\n');
      t.equal(await fs.readFile(at('rows')), 'a\nb\n');
      t.equal((await fs.lstat(at('rows'))).mode, 0o600);
      await fs.symlink('rows', at('link-to-rows'));
      await t.rejects(fs.appendFile(at('link-to-rows'), 'c'), code('ELOOP'));
      await t.rejects(fs.syncFile(at('link-to-rows')), code('ELOOP'));
    });

    void t.test('a link is made once, read as it is, and replaced by rename as a link', async (t) => {
      await fs.symlink('/var/lib/x', at('trigger'));
      await t.rejects(fs.symlink('/other', at('trigger')), code('EEXIST'));
      t.equal(await fs.readLink(at('trigger')), '/var/lib/x');
      t.equal((await fs.lstat(at('trigger'))).kind, 'symlink');
      await t.rejects(fs.stat(at('dangling')), code('ENOENT'));
      await fs.symlink('rows', at('to-rows'));
      const { device, inode } = await fs.stat(at('to-rows'));
      t.match(await fs.lstat(at('rows')), { kind: 'file', device, inode });
      await fs.createFile(at('plain'), 'p', 0o600);
      await t.rejects(fs.readLink(at('plain')), code('EINVAL'));
      await fs.rename(at('plain'), at('trigger'));
      t.equal((await fs.lstat(at('trigger'))).kind, 'file');
      await fs.symlink('trigger', at('led'));
      await fs.symlink('nowhere', at('lost'));
      t.strictSame(await fs.stat(at('led')), await fs.lstat(at('trigger')), 'what it leads to');
      await t.rejects(fs.stat(at('lost')), code('ENOENT'));
      await t.rejects(fs.rename(at('plain'), at('trigger')), code('ENOENT'));
    });

    void t.test('folders are made with their parents, and the mode is given to new ones alone', async (t) => {
      await fs.makeFolder(at('a/b/c'), 0o700);
      await fs.makeFolder(at('a/b'), 0o755);
      t.equal((await fs.lstat(at('a'))).mode, 0o700);
      t.equal((await fs.lstat(at('a/b'))).mode, 0o700);
      await fs.createFile(at('a/z'), '', 0o600);
      await fs.createFile(at('a/Z'), '', 0o600);
      t.same(await fs.readFolder(at('a')), ['Z', 'b', 'z']);
      await t.rejects(fs.makeFolder(at('a/z'), 0o700), code('EEXIST'));
      await t.rejects(fs.lstat(at('a/z/under')), code('ENOTDIR'));
      await t.rejects(fs.readFile(at('a')), code('EISDIR'));
    });

    void t.test(
      'unlink takes names, removeTree whole trees, and nothing there is fine for the tree',
      async (t) => {
        await fs.makeFolder(at('tree/deep'), 0o700);
        await fs.createFile(at('tree/deep/file'), 'x', 0o600);
        await t.rejects(fs.unlink(at('tree')), code('EISDIR'));
        await fs.removeTree(at('tree'));
        await fs.removeTree(at('tree'));
        await t.rejects(fs.lstat(at('tree')), code('ENOENT'));
        await t.rejects(fs.unlink(at('tree')), code('ENOENT'));
      },
    );

    void t.test('a copy is another file, a hard link the same one', async (t) => {
      await fs.createFile(at('origin'), 'one', 0o640);
      await fs.copyFile(at('origin'), at('copy'));
      await fs.linkFile(at('origin'), at('second-name'));
      await fs.appendFile(at('origin'), ' two');
      t.equal(await fs.readFile(at('copy')), 'one');
      t.equal(await fs.readFile(at('second-name')), 'one two');
      t.equal((await fs.lstat(at('origin'))).links, 2);
      await fs.copyFile(at('origin'), at('copy'));
      t.equal(await fs.readFile(at('copy')), 'one two');
    });

    void t.test('mode and owner change; of a link its own owner', async (t) => {
      await fs.createFile(at('owned'), '', 0o600);
      await fs.changeMode(at('owned'), 0o4750);
      t.equal((await fs.lstat(at('owned'))).mode, 0o4750);
      if (process.getuid?.() !== 0) return;
      await fs.symlink('owned', at('owned-link'));
      await fs.changeOwner(at('owned-link'), 12, 34);
      const { uid, gid } = await fs.lstat(at('owned-link'));
      t.same({ uid, gid, target: (await fs.lstat(at('owned'))).uid }, { uid: 12, gid: 34, target: 0 });
    });

    void t.test('syncs work on what is there and fail on what is not', async (t) => {
      await fs.createFile(at('synced'), 'x', 0o600);
      await fs.syncFile(at('synced'));
      await fs.syncFolder(root);
      await fs.syncFileSystem(root);
      await t.rejects(fs.syncFile(at('absent')), code('ENOENT'));
      await t.rejects(fs.syncFolder(at('synced')), code('ENOTDIR'));
      await t.rejects(fs.syncFileSystem(at('absent')), code('ENOENT'));
    });

    void t.test('exchange swaps two names, or says that it cannot', async (t) => {
      await fs.makeFolder(at('old'), 0o700);
      await fs.createFile(at('new'), 'n', 0o600);
      try {
        await fs.exchange(at('old'), at('new'));
      } catch (error) {
        if (!isHostError(error, 'EXCHANGE_UNSUPPORTED')) throw error;
        t.match(error.message, /^cannot exchange .*old and .*new: mv: /);
        t.comment('this mv has no --exchange (coreutils 9.5)');
        return;
      }
      t.equal((await fs.lstat(at('old'))).kind, 'file');
      t.equal((await fs.lstat(at('new'))).kind, 'folder');
    });

    void t.test('exchange of what is not there is ENOENT', async (t) => {
      await fs.makeFolder(at('here'), 0o700);
      await t.rejects(fs.exchange(at('here'), at('not-here')), code('ENOENT'));
    });
  });
}

/** What stands for coreutils' own, on any machine. */
// --exchange -T --no-copy -- A B
const swap = 'shift 4; /bin/mv -T "$1" "$1.x"; /bin/mv -T "$2" "$1"; /bin/mv -T "$1.x" "$2"';

for (const [what, script, expected] of [
  ['ended by a signal after it', `${swap}; kill -TERM $$`, undefined],
  ['with a bad end after it', `${swap}; echo "mv: write error" >&2; exit 1`, undefined],
  ['ended by a signal before it', 'kill -TERM $$', 'COMMAND_FAILED'],
  ['that cannot', 'echo "mv: unrecognized option" >&2; exit 1', 'EXCHANGE_UNSUPPORTED'],
] as const) {
  void t.test(`an exchange ${what}: the names themselves tell whether it is done`, async (t) => {
    const root = t.testdir({ one: '1', two: '2', programs: { mv: `#!/bin/sh\n${script}\n` } });
    chmodSync(join(root, 'programs/mv'), 0o755);
    const { PATH = '' } = process.env;
    process.env.PATH = `${join(root, 'programs')}:${PATH}`;
    t.teardown(() => (process.env.PATH = PATH));
    const [one, two] = [join(root, 'one'), join(root, 'two')];
    const done = fileSystem.exchange(one, two);
    if (expected === undefined) await done;
    else await t.rejects(done, { code: expected });
    const now = await Promise.all([one, two].map((path) => fileSystem.readFile(path)));
    t.strictSame(now, expected === undefined ? ['2', '1'] : ['1', '2']);
  });
}

void t.test('the recording layer keeps the order of writes and syncs, told as lines', async (t) => {
  const inner = memoryFileSystem();
  const recording = recordingFileSystem(inner, { root: '/var' });
  const { fs } = recording;
  await fs.makeFolder('/var/lib', 0o750);
  await fs.createFile('/var/lib/.a.12-3.new', 'x', 0o644);
  await fs.readFile('/var/lib/.a.12-3.new');
  await fs.rename('/var/lib/.a.12-3.new', '/var/lib/a');
  await fs.symlink('/var/lib', '/var/link');
  await fs.changeOwner('/var/lib/a', 1, 20);
  await fs.syncFolder('/var');
  await t.rejects(fs.unlink('/var/none'), code('ENOENT'));
  t.same(recording.takeLines(), [
    'makeFolder lib 750',
    'createFile lib/.a.*.new "x" 644',
    'rename lib/.a.*.new lib/a',
    'symlink /var/lib link',
    'changeOwner lib/a 1 20',
    'syncFolder .',
    'unlink none',
  ]);
  t.same(recording.takeLines(), []);
  t.equal(await inner.readFile('/var/lib/a'), 'x');
});

void t.test('the recording layer can break off before any call', async (t) => {
  const inner = memoryFileSystem();
  const cut = new Error('power cut');
  const { fs } = recordingFileSystem(inner, {
    before: ({ verb }, index) => {
      if (verb === 'rename' && index === 1) throw cut;
    },
  });
  await fs.createFile('/a', 'x', 0o600);
  await t.rejects(fs.rename('/a', '/b'), cut);
  t.same(await inner.readFolder('/'), ['a']);
});

void t.test('errors are told apart by their code', (t) => {
  const missing = Object.assign(new Error('x'), { code: 'ENOENT' });
  t.equal(isErrno(missing, 'EEXIST', 'ENOENT'), true);
  t.equal(isErrno(missing, 'EEXIST'), false);
  t.equal(isErrno({ code: 'ENOENT' }, 'ENOENT'), false);
  t.equal(isHostError(missing, 'LOCK_HELD'), false);
  t.end();
});
