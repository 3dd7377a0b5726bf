/** The package of a system that lies in a folder (`dpkg --root`, chrootless): the scripts touch that one alone. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isOurTarget } from '../../src/update/trigger-link.js';

interface Folder {
  root: string;
  /** Runs a maintainer script; what it has asked of the machine around, which must be nothing. */
  run: (script: string, word: string) => string[];
}

function folder(t: Test): Folder {
  const outside = t.testdir({
    bin: {},
    root: {
      run: { systemd: { system: {} }, 'offline-update': { 'shutdown.json': '{}' } },
      etc: {},
      var: {
        lib: {
          'system-update': { 'plan.json': '{}' },
          'system-update.next': { packages: {} },
          'system-update.former': {},
        },
      },
    },
  });
  const root = join(outside, 'root');
  const calls = join(outside, 'calls');
  const program = (name: string, body: string): void => {
    writeFileSync(join(outside, 'bin', name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  };
  for (const name of ['systemctl', 'deb-systemd-invoke', 'offline-update', 'flock', 'make-warm-start'])
    program(name, `echo "${name} $*" >>'${calls}'`);
  // however wrong the script is, it takes nothing from the machine that tests it
  program(
    'rm',
    `for path; do case $path in -*|'${root}'/*) ;; *) echo "rm $path" >>'${calls}'; exit ;; esac; done
exec /bin/rm "$@"`,
  );
  return {
    root,
    run(script, word) {
      const env = { DPKG_ROOT: root, PATH: `${join(outside, 'bin')}:/usr/bin:/bin` };
      const { status, stderr } = spawnSync('sh', [join('packaging/deb', script), word], {
        env,
        encoding: 'utf8',
      });
      t.strictSame([status, stderr], [0, '']);
      return readFileSync(calls, { encoding: 'utf8', flag: 'a+' }).split('\n').slice(0, -1);
    },
  };
}

void t.test('removed from a system in a folder, it disarms that one, and asks nothing of this one', (t) => {
  const { root, run } = folder(t);
  symlinkSync('/var/lib/system-update', join(root, 'system-update'));
  symlinkSync('../var/lib/system-update', join(root, 'etc/system-update'));
  symlinkSync('/var/lib/PackageKit/prepared-update', join(root, 'etc/system-update.claimed'));
  t.strictSame(run('prerm', 'upgrade'), []);
  t.ok(existsSync(join(root, 'var/lib/system-update/plan.json')), 'an upgrade changes nothing');
  t.strictSame(run('prerm', 'remove'), []);
  t.strictSame(readdirSync(join(root, 'var/lib')), []);
  t.strictSame(readdirSync(root).sort(), ['etc', 'run', 'var']);
  t.strictSame(readdirSync(join(root, 'etc')), ['system-update.claimed'], 'that of another tool stays');
  t.end();
});

void t.test('what it takes for ours is what every other program does', (t) => {
  for (const target of [
    '/var/lib/system-update',
    'var/lib/system-update',
    '../var/lib/system-update',
    '/var/lib/system-update/',
    '/var/lib/system-update-2',
    '//var/lib/system-update',
  ]) {
    const { root, run } = folder(t);
    symlinkSync(target, join(root, 'system-update'));
    run('prerm', 'remove');
    const isLeft = readdirSync(root).includes('system-update');
    t.equal(!isLeft, isOurTarget(target), target);
  }
  t.end();
});

void t.test('nor does it when it is installed or purged there', (t) => {
  const { root, run } = folder(t);
  t.strictSame(run('postinst', 'configure'), []);
  t.strictSame(run('postrm', 'remove'), []);
  t.strictSame(run('postrm', 'purge'), []);
  t.strictSame(
    readdirSync(join(root, 'var/lib')),
    [],
    'what a command has left that was at work at the removal',
  );
  t.end();
});

void t.test('nor is a copy that is half put back, and a rollback of which nothing is done is', (t) => {
  for (const [files, status] of [
    [[], 1],
    [['committed', 'begun'], 1],
    [['committed'], 0],
  ] as const) {
    const { root } = folder(t);
    const copy = join(root, 'var/lib/offline-update/fallbacks/1');
    mkdirSync(copy, { recursive: true });
    for (const name of files) writeFileSync(join(copy, name), '');
    symlinkSync('1', join(copy, '../armed'));
    const link = join(root, 'system-update.claimed');
    symlinkSync('/var/lib/system-update', link);
    const env = { DPKG_ROOT: root, PATH: '/usr/bin:/bin' };
    t.equal(spawnSync('sh', ['packaging/deb/prerm', 'remove'], { env }).status, status, files.join());
    t.equal(lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ?? false, status === 1);
  }
  t.end();
});

void t.test('what would finish an interrupted update is not taken away, unless its links were', (t) => {
  for (const event of ['claimed', 'installing', 'resumed']) {
    const { root, run } = folder(t);
    const state = join(root, 'var/lib/offline-update');
    mkdirSync(join(state, 'updates/1'), { recursive: true });
    symlinkSync('updates/1', join(state, 'open'));
    writeFileSync(
      join(state, 'open/journal.jsonl'),
      `{"event":"armed"}\n{"event":"${event}"}\n{"note":"x"}\n`,
    );
    const link = join(root, 'system-update.claimed');
    symlinkSync('/var/lib/system-update', link);
    const env = { DPKG_ROOT: root, PATH: '/usr/bin:/bin' };
    const { status, stderr } = spawnSync('sh', ['packaging/deb/prerm', 'remove'], { env, encoding: 'utf8' });
    t.equal(status, 1);
    t.equal(
      stderr,
      `offline-update: an update was interrupted, the next boot goes on with it and needs this package
  next: systemctl reboot; by hand: /usr/share/doc/offline-update/recovering-by-hand.md
`,
    );
    t.ok(existsSync(join(root, 'var/lib/system-update/plan.json')), event);
    rmSync(link);
    t.strictSame(run('prerm', 'remove'), []);
    t.notOk(existsSync(join(root, 'var/lib/system-update')));
  }
  t.end();
});
