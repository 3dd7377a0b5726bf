/** The parts a plan is made of: stanzas, versions, words of a request, changes, frozen indexes, a plugin's request. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import t from 'tap';
import { parseExtendedStates } from '../../../../src/payloads/packages/apt/automatic-packages.js';
import { field, parseStanzas } from '../../../../src/payloads/packages/apt/control-stanzas.js';
import { compareVersions } from '../../../../src/payloads/packages/apt/debian-version.js';
import { frozenIndex } from '../../../../src/payloads/packages/apt/frozen-lists.js';
import type { PackageState } from '../../../../src/payloads/packages/apt/dpkg-database.js';
import { plannedChanges, wantedChanges } from '../../../../src/payloads/packages/apt/planned-changes.js';
import { parsePluginRequest } from '../../../../src/payloads/packages/apt/plugin-schema.js';
import { requestWords } from '../../../../src/payloads/packages/apt/request-words.js';
import {
  unsignedPackages,
  type PackageSource,
} from '../../../../src/payloads/packages/apt/signed-sources.js';
import type { PackageChange, PackagesPlan } from '../../../../src/update/plan.js';
import { memoryFileSystem } from '../../../fixtures/memory-file-system.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

void t.test('versions are ordered as dpkg orders them', (t) => {
  // rising; after dpkg's own t-version.c and deb-version(7)
  const rising = [
    ['~~', '~~a', '~', '', 'a'],
    [
      '1.0~beta1~svn1245',
      '1.0~beta1',
      '1.0',
      '1.0-0.1',
      '1.0-1',
      '1.0-1+b1',
      '1.0-2',
      '1.0-10',
      '1.1',
      '1:0.1',
    ],
    ['2.30-1', '2.30+dfsg-1', '2.30.1-1', '2.4000000000000000000000-1', '2.40000000000000000000001-1'],
    ['1.a', '1.b', '1.b+', '1.b.'],
  ];
  for (const list of rising) {
    for (const [at, version] of list.entries()) {
      for (const [other, right] of list.entries()) {
        t.equal(Math.sign(compareVersions(version, right)), Math.sign(at - other), `${version} and ${right}`);
      }
    }
  }
  for (const [a, b] of [
    ['0:1', '1'],
    ['1-0', '1'],
    ['1.00', '1.0'],
    ['01', '1'],
  ] as const) {
    t.equal(compareVersions(a, b), 0, `${a} is ${b}`);
  }
  const version = fc.stringMatching(/^(\d:)?\d[a-z0-9.+~]{0,6}(-[a-z0-9.+~]{1,4})?$/);
  fc.assert(
    fc.property(version, version, version, (a, b, c) => {
      t.equal(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a)), 0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) t.ok(compareVersions(a, c) <= 0);
    }),
  );
  t.end();
});

void t.test('stanzas are read back as they were, continuation lines and all', (t) => {
  const name = fc.stringMatching(/^[A-Z][A-Za-z0-9-]{0,8}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,10}[!-~])?(\n [!-~]{1,5}){0,2}$/);
  const stanza = fc.array(fc.tuple(name, value), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(stanza), (stanzas) => {
      const text = stanzas
        .map((one) => one.map(([key, content]) => `${key}: ${content}\n`).join(''))
        .join('\n\n');
      t.same(parseStanzas(text), stanzas);
    }),
  );
  t.equal(field([['Package', 'aa']], 'package'), 'aa');
  t.same(parseStanzas('# a comment\n\n\nno field\n'), []);
  t.end();
});

void t.test('automatic packages: apt files one of `all` under the machine’s own architecture', (t) => {
  const isAutomatic = parseExtendedStates(
    'Package: aa\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: bb\nArchitecture: amd64\nAuto-Installed: 0\n',
  );
  t.same(
    [
      isAutomatic('aa', 'amd64'),
      isAutomatic('aa', 'all'),
      isAutomatic('aa', 'i386'),
      isAutomatic('bb', 'amd64'),
    ],
    [true, true, false, false],
  );
  t.end();
});

void t.test('no word of a request is anything to apt but a package', (t) => {
  const words = (...packages: string[]) => requestWords({ mode: 'packages', packages });
  t.same(words('g++', 'libc6:i386', 'hello=1:2.0-1~x'), {
    args: ['--allow-downgrades', 'install', 'g++', 'libc6:i386', 'hello=1:2.0-1~x'],
    names: ['g++', 'libc6', 'hello'],
  });
  t.same(requestWords({ mode: 'upgrade', packages: [] }), {
    args: ['--with-new-pkgs', 'upgrade'],
    names: [],
  });
  fc.assert(
    fc.property(fc.string(), (word) => {
      const isPlain = /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9][a-z0-9-]*)?(=[A-Za-z0-9.+:~-]+)?$/.test(word);
      if (!isPlain) t.throws(() => words(word), { code: 'REQUEST_INVALID' });
    }),
  );
  for (const word of ['', '-q', '--purge', 'aa-', 'aa^', 'aa/stable', './aa.deb', 'aa bb', 'aa\n', 'aa=']) {
    t.throws(() => words(word), { code: 'REQUEST_INVALID' }, JSON.stringify(word));
  }
  t.end();
});

void t.test('the changes of a plan: what each is, which file it has, and who wanted it', (t) => {
  const state = (key: string, version: string, abbreviation = 'ii') => {
    const [name = '', architecture = ''] = key.split(':');
    return [key, { name, architecture, version, abbreviation }] as const;
  };
  const states = new Map([
    state('dpkg:amd64', '1.22'),
    state('up:amd64', '9'),
    state('down:all', '1.1'),
    state('moved:amd64', '1'),
    state('once:all', '1', 'rc'),
    state('same:all', '1', 'hi'),
    state('gone:all', '1'),
    state('gone:i386', '2'),
  ]);
  const files = [
    'up_1%3a2_amd64',
    'new_1_all',
    'dep_1_all',
    'down_1_all',
    'moved_2_all',
    'once_2_all',
    'same_1_all',
  ];
  const byFile = new Map(
    files.map((file) => [`${file}.deb`, { uri: '', sizeBytes: 7, sha256: 'f'.repeat(64) }]),
  );
  const planned = (removed: string[]) =>
    plannedChanges(wantedChanges({ byFile, removed }, states), {
      isAutomatic: (name) => name === 'up',
      requested: new Set(['new', 'once']),
      byFile,
    }).map(
      ({ action, name, architecture, from, to, automatic, file }) =>
        `${action} ${name}:${architecture} ${from ?? '-'} ${to ?? '-'} ${automatic ? 'auto' : 'manual'} ${file ?? '-'}`,
    );
  t.same(planned(['gone', 'gone:i386']), [
    'install dep:all - 1 auto packages/dep_1_all.deb',
    'downgrade down:all 1.1 1 manual packages/down_1_all.deb',
    'remove gone:all 1 - manual -',
    'remove gone:i386 2 - manual -',
    'upgrade moved:all 1 2 manual packages/moved_2_all.deb',
    'install new:all - 1 manual packages/new_1_all.deb',
    'install once:all - 2 manual packages/once_2_all.deb',
    'reinstall same:all 1 1 manual packages/same_1_all.deb',
    'upgrade up:amd64 9 1:2 auto packages/up_1%3a2_amd64.deb',
  ]);
  t.throws(() => planned(['once']), {
    code: 'PLAN_FAILED',
    message: /remove once, which dpkg does not have/,
  });
  t.end();
});

void t.test('a frozen index has the stanza of the planned content, and our file', (t) => {
  const sha256 = 'a'.repeat(64);
  const change: PackageChange = {
    name: 'aa',
    architecture: 'all',
    action: 'upgrade',
    from: '1',
    to: '2',
    automatic: false,
    file: 'packages/aa_2_all.deb',
    sizeBytes: 42,
    sha256,
  };
  const plan: PackagesPlan = packagesPlan([change], { baseFingerprint: sha256 });
  const offered = (hash: string, depends: string) =>
    `Package: aa\nVersion: 2\nArchitecture: all\nDepends: ${depends}\nFilename: pool/x.deb\nSize: 1\nSHA256: ${hash}\nDescription: x\n long\nDescription-md5: 0\n\n`;
  const both = parseStanzas(offered('b'.repeat(64), 'evil') + offered(sha256, 'good'));
  t.equal(
    frozenIndex(plan, both),
    `Package: aa\nVersion: 2\nArchitecture: all\nDepends: good\nFilename: ./aa_2_all.deb\nSize: 42\nSHA256: ${sha256}\n`,
  );
  const recompressed = { compression: 'zstd', sizeBytes: 60, sha256: 'e'.repeat(64) } as const;
  const changes = plan.changes.map((change) => ({ ...change, recompressed }));
  t.match(
    frozenIndex({ ...plan, changes }, both),
    `Depends: good\nFilename: ./aa_2_all.deb\nSize: 60\nSHA256: ${'e'.repeat(64)}\n`,
    'of a recompressed file, what lies in the stage; found by what was signed',
  );
  t.throws(() => frozenIndex(plan, both.slice(0, 1)), {
    code: 'PLAN_FAILED',
    message: 'aa 2 is no longer in the package index',
  });
  t.end();
});

void t.test(
  'a package is vouched for by the signed index that has its hash, not by its address',
  async (t) => {
    const sha256 = 'c'.repeat(64);
    const source = (description: string, baseUri: string, signed: boolean): PackageSource => ({
      description,
      baseUri,
      indexFile: `/lists/${description}`,
      signed,
    });
    const asked: string[] = [];
    const ports = {
      files: memoryFileSystem(),
      runCommand: (_: string, args: readonly string[]) => {
        asked.push(args.join(' '));
        return Promise.resolve({ exitCode: 0, signal: undefined, stdout: `SHA256: ${sha256}\n`, stderr: '' });
      },
    };
    const sources = [
      source('good', 'http://a/', true),
      source('bad', 'http://a/', false),
      source('b', 'http://b/', true),
    ];
    const wanted = (uri: string, hash: string | null) => [{ name: 'aa', uri, sha256: hash }];
    t.same(await unsignedPackages(ports, sources, wanted('http://b/x.deb', sha256)), []);
    t.same(asked, [], 'no index is read where all of the archive is signed');
    t.same(await unsignedPackages(ports, sources, wanted('http://a/x.deb', sha256)), []);
    t.same(asked, ['cat-file /lists/good']);
    const refused = [{ name: 'aa', sources: ['bad'] }];
    t.same(await unsignedPackages(ports, sources, wanted('http://a/x.deb', 'd'.repeat(64))), refused);
    t.same(await unsignedPackages(ports, sources, wanted('http://a/x.deb', null)), refused);
    t.same(await unsignedPackages(ports, [], wanted('http://z/x.deb', sha256)), [
      { name: 'aa', sources: ['http://z/x.deb'] },
    ]);
  },
);

void t.test('the packages that dpkg knows are gone through once, however many come and go', (t) => {
  let times = 0;
  class Listing extends Map<string, PackageState> {
    override values(): MapIterator<PackageState> {
      times += 1;
      return super.values();
    }
  }
  const state = { version: '1', abbreviation: 'ii ' };
  const states = new Listing([
    ['dpkg:amd64', { name: 'dpkg', architecture: 'amd64', ...state }],
    ['gone:amd64', { name: 'gone', architecture: 'amd64', ...state }],
  ]);
  const download = { uri: '', sizeBytes: 7, sha256: null };
  const byFile = new Map([1, 2, 3].map((number) => [`new${number}_1_all.deb`, download] as const));
  t.equal(wantedChanges({ byFile, removed: ['gone', 'gone'] }, states).length, 5);
  t.equal(times, 1);
  t.end();
});

void t.test('a plugin’s request is read strictly, and its folder is made absolute', (t) => {
  const one = { name: 'aa', architecture: 'all', version: '1', sha256: 'a'.repeat(64) };
  const text = (rest: object) => JSON.stringify({ format: 1, manager: 'apt', packages: [one], ...rest });
  t.equal(parsePluginRequest(text({}), '/srv').folder, '/srv');
  t.equal(parsePluginRequest(text({ folder: 'debs' }), '/srv').folder, '/srv/debs');
  t.equal(parsePluginRequest(text({ folder: '/x' }), '/srv').folder, '/x');
  const bad = [
    { packages: [{ ...one, sha256: 'A'.repeat(64) }] },
    { manager: 'dnf' },
    { packages: [{ ...one, name: '../x' }] },
  ];
  for (const rest of bad) {
    t.throws(() => parsePluginRequest(text(rest), '/'), { code: 'REQUEST_INVALID' }, JSON.stringify(rest));
  }
  t.end();
});

void t.test('a request of a manager without a payload is checked, and then told what to do instead', (t) => {
  const one = { name: 'kernel-core', architecture: 'x86_64', version: '1:6.1~rc^2-3.fc44', file: 'a.rpm' };
  const text = (rest: object) =>
    JSON.stringify({
      format: 1,
      manager: 'dnf5',
      packages: [{ ...one, sha256: 'a'.repeat(64) }],
      remove: [{ name: 'kernel-core', architecture: 'x86_64', version: '6.0-1' }],
      ...rest,
    });
  t.throws(() => parsePluginRequest(text({}), '/srv'), {
    code: 'MANAGER_UNSUPPORTED',
    message:
      'the request is in order, but packages of dnf5 cannot be installed offline by this version: it knows apt',
    hint: 'dnf5 upgrade --offline && dnf5 offline reboot',
  });
  for (const manager of ['pacman', 'zypper'])
    t.throws(() => parsePluginRequest(text({ manager }), '/srv'), { code: 'MANAGER_UNSUPPORTED' });
  for (const wrong of [{ manager: 'yum' }, { packages: [one] }, { remove: [{ name: '../x' }] }])
    t.throws(() => parsePluginRequest(text(wrong), '/srv'), { code: 'REQUEST_INVALID' });
  t.end();
});

void t.test('the published JSON Schemas are those of the sources', (t) => {
  t.doesNotThrow(() => execFileSync(process.execPath, ['scripts/schemas.mjs', '--check'], { stdio: 'pipe' }));
  t.end();
});
