/** The tools of the tree: what the build refuses, what it must say of others' code, how test runs are counted. */
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { build } from 'esbuild';
import type { Metafile } from 'esbuild';
import t from 'tap';

interface Tools {
  looseEnds: (metafile: Metafile, options: { lateImports: 'any' | readonly string[] }) => string[];
  thirdPartyNotices: (root: string, inputs: Iterable<string>) => Promise<string>;
  TapSummary: new (print: (line: string) => void) => {
    passed: number;
    failed: number;
    files: Set<string>;
    notBegun: Set<string>;
    failures: Map<string, { passed: number; failed: number }>;
    takeBack(file: string): void;
    read(stream: Readable): Promise<void>;
  };
}

const scripts = ['build', 'third-party-notices', 'tap-summary'].map(
  (name) => new URL(`../../scripts/${name}.mjs`, import.meta.url).href,
);
const modules = await Promise.all(scripts.map((href) => import(href) as Promise<Partial<Tools>>));
const { looseEnds, thirdPartyNotices, TapSummary } = Object.assign({}, ...modules) as Tools;

async function metafileOf(folder: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: ['main.ts'],
    outfile: 'out.cjs',
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['absent', 'usocket'],
    metafile: true,
    write: false,
  });
  return metafile;
}

void t.test('a bundle that needs nothing but Node and itself is accepted', async (t) => {
  const folder = t.testdir({
    'main.ts': "import { join } from 'node:path'; import { a } from './a'; console.log(join(a));",
    'a.ts': "import fs from 'fs'; export const a = String(fs.existsSync('/'));",
  });
  t.strictSame(looseEnds(await metafileOf(folder), { lateImports: [] }), []);
});

void t.test('a bundle that would load a package at run time is refused', async (t) => {
  const folder = t.testdir({ 'main.ts': "import absent from 'absent'; console.log(absent);" });
  t.strictSame(looseEnds(await metafileOf(folder), { lateImports: 'any' }), ['require-call of absent']);
});

void t.test('a lazy import is refused, but for the command and what is named', async (t) => {
  const folder = t.testdir({
    'main.ts': "void import('./late').then(({ late }) => { console.log(late); });",
    'late.ts': 'export const late = 1;',
  });
  const metafile = await metafileOf(folder);
  t.strictSame(looseEnds(metafile, { lateImports: 'any' }), []);
  t.strictSame(looseEnds(metafile, { lateImports: ['late.ts'] }), []);
  t.strictSame(looseEnds(metafile, { lateImports: [] }), ['lazy import of late.ts in main.ts']);
});

void t.test('the notices name version and licence text of each package once', async (t) => {
  const root = t.testdir({
    node_modules: {
      a: { 'package.json': '{"name":"a","version":"1.2.3","license":"MIT"}', LICENSE: 'Text of a.\n' },
      '@b': {
        c: {
          'package.json': '{"name":"@b/c","version":"2.0.0","license":"ISC"}',
          'license.md': 'Text of c.\n',
        },
      },
    },
  });
  const inputs = ['src/x.ts', 'node_modules/a/1.js', 'node_modules/a/2.js', 'node_modules/@b/c/lib/3.js'];
  const line = '-'.repeat(78);
  t.equal(
    await thirdPartyNotices(root, inputs),
    [
      'The programs of offline-update contain code of the packages below.',
      line,
      '@b/c 2.0.0 (ISC)\n\nText of c.',
      line,
      'a 1.2.3 (MIT)\n\nText of a.',
      `${line}\n\n`,
    ].join('\n\n'),
  );
});

void t.test('a package without a licence text stops the build', async (t) => {
  const root = t.testdir({
    node_modules: { a: { 'package.json': '{"name":"a","version":"1.0.0","license":"MIT"}' } },
  });
  await t.rejects(thirdPartyNotices(root, ['node_modules/a/1.js']), /^a 1\.0\.0 \(MIT\) has no licence file/);
});

void t.test('a test run is counted by tests; a file that crashed counts as one failure', async (t) => {
  const printed: string[] = [];
  const summary = new TapSummary((line) => printed.push(line));
  await summary.read(
    Readable.from(`TAP version 14
# Subtest: test/a.test.ts
    # Subtest: one
        ok 1 - deep lines are assertions
        # seed 7: 110 states
        # another comment
        1..1
    ok 1 - one # time=1ms
    ok 2 - two # SKIP not root
    1..2
ok 1 - test/a.test.ts # time=5ms
  ---
  exitCode: 0
  ...

# Subtest: test/b.test.ts
    not ok 1 - three
      ---
      found: x
      ...
    ok 2 - four
    1..2
not ok 2 - test/b.test.ts # time=6ms
  ---
  exitCode: 1
  ...

# Subtest: test/c.test.ts
    1..0 # no tests found
not ok 3 - test/c.test.ts # time=7ms
  ---
  signal: SIGSEGV
  ...
not ok 4 - timeout!
1..4
# { total: 5, pass: 2, fail: 2, skip: 1 }
`),
  );
  t.strictSame({ passed: summary.passed, failed: summary.failed }, { passed: 2, failed: 2 });
  t.strictSame([...summary.files], ['test/a.test.ts', 'test/b.test.ts', 'test/c.test.ts']);
  t.strictSame([...summary.failures.keys()], ['test/b.test.ts', 'test/c.test.ts']);
  t.strictSame(printed, [
    '        # seed 7: 110 states',
    'ok   test/a.test.ts: 1 passed, 0 failed 5ms',
    '     skipped: two: not root',
    '    not ok 1 - three',
    '      ---',
    '      found: x',
    '      ...',
    '    ok 2 - four',
    '    1..2',
    'FAIL test/b.test.ts: 1 passed, 1 failed 6ms',
    '     exitCode: 1',
    '    1..0 # no tests found',
    'FAIL test/c.test.ts: 0 passed, 1 failed 7ms',
    '     signal: SIGSEGV',
  ]);

  // A file that is run once more counts anew.
  summary.takeBack('test/b.test.ts');
  t.strictSame({ passed: summary.passed, failed: summary.failed }, { passed: 1, failed: 1 });
  t.notOk(summary.files.has('test/b.test.ts'));
});

void t.test(
  'files that a run had no time to begin are told apart from others that were skipped',
  async (t) => {
    const summary = new TapSummary(() => undefined);
    await summary.read(
      Readable.from(`TAP version 14
# Subtest: test/a.test.ts
    ok 1 - the whole file # SKIP not begun: the time of this run is over
    1..1
ok 1 - test/a.test.ts # time=5ms
# Subtest: test/b.test.ts
    ok 1 - one # SKIP not root
    1..1
ok 2 - test/b.test.ts # time=5ms
1..2
`),
    );
    t.strictSame([...summary.notBegun], ['test/a.test.ts']);
  },
);

void t.test('a run that must end in time begins no file after its moment, and says so', (t) => {
  const output = (until: string): string =>
    execFileSync(
      process.execPath,
      [
        `--import=${new URL('../../scripts/begin-until.mjs', import.meta.url).href}`,
        '--eval=console.log("begun")',
      ],
      { encoding: 'utf8', env: { ...process.env, OFFLINE_UPDATE_BEGIN_UNTIL: until } },
    );
  t.equal(
    output('1'),
    'TAP version 14\nok 1 - the whole file # SKIP not begun: the time of this run is over\n1..1\n',
  );
  t.equal(output('99999999999'), 'begun\n');
  t.equal(output(''), 'begun\n');
  t.end();
});
