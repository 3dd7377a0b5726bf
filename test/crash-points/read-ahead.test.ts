/** units/read-ahead below a folder: what it reads it writes, in the order in which it was read. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { putScripts, scriptIn } from '../fixtures/rooted-scripts.js';
import { putPrograms } from './shell/traced.js';

const staged = 'var/lib/system-update/packages';

/** The lines it writes. `without`: what is not there; `failing`: the program that fails. */
function readAhead(t: Test, { without, failing }: { without?: string; failing?: string } = {}): string[] {
  const info = { 'one.list': 'listed\n', 'two:amd64.list': 'listed\n', 'one.md5sums': 'not asked for\n' };
  const root = t.testdir({
    programs: {},
    var: {
      lib: {
        'system-update': { 'plan.json': 'not asked for\n', packages: { a: 'staged\n', b: 'staged\n' } },
        dpkg: { info },
      },
    },
  });
  if (without !== undefined) rmSync(join(root, without), { recursive: true });
  putScripts(root);
  const programs = ['apt-get', 'dpkg-deb'].map((name) => [
    name,
    `echo "${name} $*"; exit ${name === failing ? 100 : 0}`,
  ]);
  putPrograms(join(root, 'programs'), Object.fromEntries(programs) as Record<string, string>);
  const env = { LAB_ROOT: root, PATH: `${join(root, 'programs')}:/usr/bin:/bin` };
  const { stdout } = spawnSync(scriptIn(root, 'read-ahead'), { env, encoding: 'utf8' });
  return stdout.trim().split('\n');
}

const files = ['staged', 'staged'];
const programs = ['apt-get --version', 'dpkg-deb --version'];
const lists = ['listed', 'listed'];

void t.test('the staged files are read, then the programs, then the lists of dpkg', (t) => {
  t.strictSame(readAhead(t), [...files, ...programs, ...lists]);
  t.end();
});

void t.test('what cannot be read is left out, and it goes on', (t) => {
  t.strictSame(readAhead(t, { without: staged }), [...programs, ...lists]);
  t.strictSame(readAhead(t, { without: `${staged}/a` }), ['staged', ...programs, ...lists]);
  for (const failing of ['apt-get', 'dpkg-deb'])
    t.strictSame(readAhead(t, { failing }), [...files, ...programs, ...lists], failing);
  t.end();
});
