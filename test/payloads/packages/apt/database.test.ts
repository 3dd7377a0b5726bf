import fc from 'fast-check';
import t from 'tap';
import type { RunCommand } from '../../../../src/host/command.js';
import type { FileSystem } from '../../../../src/host/file-system.js';
import { verifyChange, verifyPlan } from '../../../../src/payloads/packages/apt/apt-verify.js';
import { healTool } from '../../../../src/payloads/packages/apt/apt-heal.js';
import { checkDatabase } from '../../../../src/payloads/packages/apt/planning.js';
import { preflightPlan } from '../../../../src/payloads/packages/apt/apt-preflight.js';
import {
  parseConffiles,
  parseUcfRegistry,
} from '../../../../src/payloads/packages/apt/conffile-leftovers.js';
import {
  dpkgDatabase,
  fingerprintOf,
  parseStates,
} from '../../../../src/payloads/packages/apt/dpkg-database.js';
import {
  dpkgLockHolder,
  lookAtDpkgLock,
  waitForDpkgLock,
  writersOf,
  type LockPorts,
} from '../../../../src/payloads/packages/apt/dpkg-lock.js';
import type { Finding } from '../../../../src/update/finding.js';
import type { PackageChange, PackagesPlan } from '../../../../src/update/plan.js';
import { defaultPolicy } from '../../../../src/update/policy.js';
import { memoryFileSystem } from '../../../fixtures/memory-file-system.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

const listing = [
  'ii  lab-app:amd64 1:2.0-1+b1',
  'hi  lab-held:all 2.0',
  'iHR lab-cut:all 1.0',
  'rc  lab-old:all 1.0',
  '',
].join('\n');

function change(name: string, to: string | null, architecture = 'all'): PackageChange {
  const file = to === null ? null : `packages/${name}.deb`;
  const action = to === null ? 'remove' : 'upgrade';
  return { name, architecture, action, from: '1.0', to, automatic: false, file, sizeBytes: 1, sha256: null };
}

function planOf(...changes: PackageChange[]): PackagesPlan {
  const baseFingerprint = fingerprintOf(listing);
  return packagesPlan(changes, { baseFingerprint });
}

interface Machine {
  run: RunCommand;
  files: FileSystem;
}

/** A machine with this database; `audit` is what `dpkg --audit` prints. */
async function machine(audit = '', journal: string[] = []): Promise<Machine> {
  const files = memoryFileSystem();
  await files.makeFolder('/var/lib/dpkg/updates', 0o755);
  for (const name of journal) await files.createFile(`/var/lib/dpkg/updates/${name}`, '', 0o644);
  const answers: Record<string, { stdout: string; exitCode: number }> = {
    'dpkg-query': { stdout: listing, exitCode: 0 },
    dpkg: { stdout: audit, exitCode: audit === '' ? 0 : 1 },
    'apt-get': { stdout: '', exitCode: 0 },
  };
  const run: RunCommand = (file) =>
    Promise.resolve({ signal: undefined, stderr: '', stdout: '', exitCode: 127, ...answers[file] });
  return { run, files };
}

void t.test("dpkg's states are read with their third letter", (t) => {
  t.same(
    [...parseStates(listing)],
    [
      [
        'lab-app:amd64',
        { name: 'lab-app', architecture: 'amd64', version: '1:2.0-1+b1', abbreviation: 'ii' },
      ],
      ['lab-held:all', { name: 'lab-held', architecture: 'all', version: '2.0', abbreviation: 'hi' }],
      ['lab-cut:all', { name: 'lab-cut', architecture: 'all', version: '1.0', abbreviation: 'iHR' }],
      ['lab-old:all', { name: 'lab-old', architecture: 'all', version: '1.0', abbreviation: 'rc' }],
    ],
  );
  t.end();
});

void t.test('the fingerprint does not know of an order, and tells every other difference', (t) => {
  const line = fc.stringMatching(/^[a-z]{2} [ R] [a-z]{1,8}:all [0-9]{1,4}$/);
  fc.assert(
    fc.property(fc.uniqueArray(line, { minLength: 2 }), fc.nat(), (lines, at) => {
      const text = (some: string[]): string => some.map((one) => `${one}\n`).join('');
      const whole = fingerprintOf(text(lines));
      const index = at % lines.length;
      return (
        fingerprintOf(text([...lines].reverse())) === whole &&
        fingerprintOf(text(lines.filter((_, other) => other !== index))) !== whole
      );
    }),
  );
  t.end();
});

void t.test('invariant 9: each package is judged by its state and version', (t) => {
  const states = parseStates(listing);
  const evidence = (one: PackageChange): (string | undefined)[] =>
    verifyChange(one, states).map((finding) => finding.evidence);
  t.same(evidence(change('lab-app', '1:2.0-1+b1', 'amd64')), []);
  t.same(evidence(change('lab-held', '2.0')), []);
  t.same(evidence(change('lab-held', '0:2.0')), [], 'dpkg leaves out an epoch of 0');
  t.same(evidence(change('lab-old', null)), []);
  t.same(evidence(change('lab-never', null)), []);
  t.same(evidence(change('lab-app', '1:2.0-1', 'amd64')), [
    'lab-app:amd64 should be 1:2.0-1 ii and is 1:2.0-1+b1 ii',
  ]);
  t.same(evidence(change('lab-app', '1:2.0-1+b1', 'i386')), [
    'lab-app:i386 should be 1:2.0-1+b1 ii and is not installed',
  ]);
  t.same(evidence(change('lab-cut', '1.0')), ['lab-cut:all should be 1.0 ii and is 1.0 iHR']);
  t.same(evidence(change('lab-held', null)), ['lab-held:all should be gone and is 2.0 hi']);
  t.end();
});

void t.test('invariant 9: an audit that says anything is a finding, an empty plan no success', async (t) => {
  const { run, files } = await machine(' lab-cut  half installed\n', ['0001', 'tmp.i']);
  const ports = { runCommand: run, database: dpkgDatabase(run, files) };
  t.same(await verifyPlan(ports, planOf(change('lab-held', '2.0'))), [
    {
      check: 'dpkg-audit',
      severity: 'block',
      evidence: 'dpkg --audit says: lab-cut half installed',
      remedy: 'offline-update report',
    },
    {
      check: 'dpkg-journal',
      severity: 'block',
      evidence: 'dpkg was interrupted: 1 entries in its journal',
      remedy: 'offline-update report',
    },
  ]);
  t.match(await verifyPlan(ports, planOf()), [{ evidence: 'the plan changes nothing' }]);
});

void t.test('an audit is told in a line, however many packages it names', async (t) => {
  const prose =
    'The following packages have been unpacked but not yet configured.\nThey must be configured using';
  const unpacked = `${prose} dpkg --configure or the configure\nmenu option in dselect for them to work:\n`;
  const row = (name: string): string => ` ${name.padEnd(20)} a package of the laboratory\n`;
  const few = 'packages have been unpacked but not yet configured';
  const inMess =
    'The following packages are in a mess due to serious problems during\ninstallation.  They must be reinstalled for them (and any packages\nthat depend on them) to function properly:\n';
  const seven = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((letter) => row(`lab-${letter}`)).join('');
  for (const [audit, told] of [
    [`${unpacked}${row('lab-cut')}\n`, `${few}: lab-cut`],
    [
      `${inMess}${row('lab-bad')}\n${unpacked}${seven}\n`,
      `packages are in a mess due to serious problems during installation: lab-bad; ${few}: lab-a, lab-b, lab-c, lab-d, lab-e and 2 more`,
    ],
    [`${unpacked}${row('lab-cut')}\nwhat nobody\nknows\n`, /^The following .* lab-cut .* what nobody knows$/],
  ] as const) {
    const { run, files } = await machine(audit);
    const database = dpkgDatabase(run, files);
    const [found] = await verifyPlan({ runCommand: run, database }, planOf(change('lab-held', '2.0')));
    t.match(found?.evidence.replace('dpkg --audit says: ', ''), told);
    if (typeof told === 'string')
      await t.rejects(checkDatabase({ files, root: '/', database }), {
        message: `the package database is not in order: ${told}`,
      });
  }
});

void t.test('apt is asked to check by the architectures that the install was told', async (t) => {
  const { run, files } = await machine();
  const asked: string[] = [];
  const runCommand: RunCommand = (file, words, options) => {
    if (file === 'apt-get') asked.push(words.join(' '));
    return run(file, words, options);
  };
  const ports = { runCommand, database: dpkgDatabase(run, files) };
  const asDecided = ['-c', '/stage/as-decided.conf'];
  t.strictSame(await verifyPlan(ports, planOf(change('lab-held', '2.0')), { asDecided }), []);
  t.match(asked, [/^-c \/stage\/as-decided\.conf .* check$/]);
});

void t.test(
  'the preflight tells a dirty database, drift of the packages and drift of the plan',
  async (t) => {
    const plan = planOf(change('lab-held', '2.0'));
    const preflight = async (
      { run, files }: Machine,
      plan: PackagesPlan,
      differing: string[] = [],
    ): Promise<object[]> =>
      preflightPlan(
        {
          root: '/',
          files,
          database: dpkgDatabase(run, files),
          simulatedDifferences: () => Promise.resolve(differing),
        },
        plan,
        { path: '/stage' },
      );
    t.same(await preflight(await machine(), plan), []);
    t.same(await preflight(await machine('', ['0001']), plan), [
      {
        check: 'dpkg-dirty',
        severity: 'block',
        evidence: 'dpkg was interrupted: 1 entries in its journal',
        remedy: 'dpkg --configure -a',
      },
    ]);
    t.match(await preflight(await machine('lab-cut\n half'), plan), [
      { check: 'dpkg-dirty', evidence: 'dpkg --audit says: lab-cut half' },
    ]);
    t.same(await preflight(await machine(), { ...plan, baseFingerprint: '0'.repeat(64) }), [
      {
        check: 'drift',
        severity: 'block',
        evidence: 'packages were installed, removed, held or released since the update was prepared',
        remedy: 'offline-update prepare',
      },
    ]);
    t.match(await preflight(await machine(), plan, ['1', '2', '3', '4', '5', '6', '7']), [
      { check: 'drift', evidence: 'apt would now do something else than planned: 1; 2; 3; 4; 5; and 2 more' },
    ]);
  },
);

void t.test(
  'a database that somebody is at work on is in between, and neither dirty nor drifted',
  async (t) => {
    const preflight = async ({ run, files }: Machine, plan: PackagesPlan): Promise<Finding[]> =>
      preflightPlan(
        {
          root: '/',
          files,
          database: dpkgDatabase(run, files),
          simulatedDifferences: () => Promise.resolve([]),
        },
        plan,
        { path: '/stage' },
      );
    const plan = planOf(change('lab-held', '2.0'));
    for (const [one, planned] of [
      [await machine('lab-cut\n half', ['0001']), plan],
      [await machine(), { ...plan, baseFingerprint: '0'.repeat(64) }],
    ] as const) {
      await holdLock(one.files);
      t.strictSame(await preflight(one, planned), [
        {
          check: 'lock-held',
          severity: 'block',
          evidence: 'dpkg (process 9) is at work on the packages and holds /var/lib/dpkg/lock',
          remedy: 'wait until it has ended, then try again; what it does: ps -fp 9',
        },
      ]);
    }
    const idle = await machine();
    await holdLock(idle.files);
    t.strictSame(await preflight(idle, plan), [], 'who holds the lock and has changed nothing');

    const ending = await machine('', ['0001']);
    const files = {
      ...ending.files,
      readFile: async (path: string) => {
        if (path === '/proc/locks') await ending.files.removeTree('/var/lib/dpkg/updates/0001');
        return ending.files.readFile(path);
      },
    };
    t.strictSame(await preflight({ ...ending, files }, plan), [], 'it came to its end in between');

    const changing = await machine();
    let seen = 'iU  lab-app:amd64 1:2.0-1+b1\n';
    const unpacked: Machine = {
      run: async (file, ...words) =>
        file === 'dpkg-query'
          ? { exitCode: 0, signal: undefined, stdout: seen, stderr: '' }
          : changing.run(file, ...words),
      files: {
        ...changing.files,
        readFile(path: string) {
          if (path === '/proc/locks') seen = listing;
          return changing.files.readFile(path);
        },
      },
    };
    t.strictSame(await preflight(unpacked, plan), [], 'also where the packages looked changed until then');
  },
);

void t.test(
  'prepare: who begins while the database is looked at is waited for, and nothing is out of order',
  async (t) => {
    const { run, files } = await machine(' lab-cut  half installed\n');
    const runCommand: RunCommand = async (file, words, options) => {
      if (file === 'dpkg') await holdLock(files);
      return run(file, words, options);
    };
    const ports = { runCommand, files, root: '/', database: dpkgDatabase(runCommand, files) };
    await t.rejects(checkDatabase(ports), { code: 'BUSY' });
    const { run: idle, files: left } = await machine(' lab-cut  half installed\n');
    const dirty = { files: left, root: '/', database: dpkgDatabase(idle, left) };
    await t.rejects(checkDatabase(dirty), { code: 'PLAN_FAILED', hint: 'dpkg --configure -a' });
  },
);

async function holdLock(files: FileSystem): Promise<void> {
  await files.makeFolder('/var/lib/dpkg', 0o755);
  await files.createFile('/var/lib/dpkg/lock', '', 0o640);
  const { inode } = await files.lstat('/var/lib/dpkg/lock');
  await files.makeFolder('/proc/9/fd', 0o755);
  await files.symlink('/var/lib/dpkg/lock', '/proc/9/fd/4');
  await files.createFile('/proc/locks', `1: POSIX  ADVISORY  WRITE 9 00:2f:${inode} 0 EOF\n`, 0o444);
  await files.createFile('/proc/9/comm', 'dpkg\n', 0o444);
}

void t.test('only who holds the lock counts, not who waits for it or holds another', async (t) => {
  const table = [
    '1: POSIX  ADVISORY  WRITE 101 08:01:77 0 EOF',
    '2: POSIX  ADVISORY  READ 102 08:01:77 0 EOF',
    '2: -> POSIX  ADVISORY  WRITE 103 08:01:77 0 EOF',
    '3: FLOCK  ADVISORY  WRITE 104 08:01:77 0 EOF',
    '4: POSIX  ADVISORY  WRITE 105 08:01:78 0 EOF',
    '5: OFDLCK ADVISORY  WRITE -1 08:01:77 0 EOF',
    '',
  ].join('\n');
  t.same(writersOf(table, 77), [101]);
  t.same(writersOf(table, 79), []);

  const files = memoryFileSystem();
  t.equal(await dpkgLockHolder(files, '/'), undefined, 'no locks, no dpkg');
  await files.makeFolder('/var/lib/dpkg', 0o755);
  await files.createFile('/var/lib/dpkg/lock', '', 0o640);
  const { inode } = await files.lstat('/var/lib/dpkg/lock');
  await files.makeFolder('/proc/9/fd', 0o755);
  await files.createFile('/proc/locks', `1: POSIX  ADVISORY  WRITE 9 00:2f:${inode} 0 EOF\n`, 0o444);
  await files.createFile('/proc/9/comm', 'dpkg\n', 0o444);
  t.equal(await dpkgLockHolder(files, '/'), undefined, 'one that has it not open');
  await files.symlink('/var/lib/dpkg/lock', '/proc/9/fd/4');
  const elsewhere: FileSystem = {
    ...files,
    async stat(path) {
      const entry = await files.stat(path);
      return path.startsWith('/proc/9/fd/') ? { ...entry, device: entry.device + 1 } : entry;
    },
  };
  t.equal(await dpkgLockHolder(elsewhere, '/'), undefined, 'the same inode number on another file system');
  const holder = { pid: 9, command: 'dpkg', lock: '/var/lib/dpkg/lock' };
  t.same(await dpkgLockHolder(files, '/'), holder);

  await files.makeFolder('/srv', 0o755);
  await files.rename('/var', '/srv/var');
  await files.symlink('srv/var', '/var');
  await files.unlink('/proc/9/fd/4');
  await files.symlink('/srv/var/lib/dpkg/lock', '/proc/9/fd/4');
  t.same(await dpkgLockHolder(files, '/'), holder, 'where /var is a link, the kernel names another path');
});

void t.test('a look ahead is believed while it is fresh, and only when it has found nobody', async (t) => {
  let [looks, now] = [0, 0];
  const files = {
    ...memoryFileSystem(),
    readFile(path: string) {
      if (path === '/proc/locks') looks += 1;
      return Promise.resolve('');
    },
  };
  const readActivity = () => Promise.resolve({ cpuTicks: 0, ioBytes: 0 });
  const ports: LockPorts = { files, root: '/', readActivity, clock: () => now };
  const looksMade = async (wait: () => Promise<void>): Promise<number> => {
    looks = 0;
    await wait();
    return looks;
  };
  const ahead = lookAtDpkgLock(ports);
  now = 999;
  t.equal(await looksMade(() => waitForDpkgLock(ports, 60, ahead)), 0);
  now = 1000;
  t.equal(await looksMade(() => waitForDpkgLock(ports, 60, ahead)), 1, 'too old');
  const holder = Promise.resolve({ pid: 9, command: 'dpkg', lock: '/var/lib/dpkg/lock' });
  const held = { holder, atMilliseconds: now };
  t.equal(await looksMade(() => waitForDpkgLock(ports, 60, held)), 1, 'whoever held it has let it go');
});

void t.test('invariant 5: the steps of a repair name all files of the stage, but not what hung', (t) => {
  const plan = planOf(change('lab-app', '2.0', 'amd64'), change('lab-hangs', '2.0'), change('lab-old', null));
  const stage = { path: '/stage' };
  const step = (
    name: Parameters<typeof healTool>[0],
    hung: string[] = [],
    some = plan,
  ): string | undefined => {
    const tool = healTool(name, some, stage, defaultPolicy, new Set(hung));
    return tool && [tool.file, ...tool.args].join(' ');
  };
  const keep = '--refuse-confnew --force-confdef --force-confold';
  t.equal(step('remove'), 'dpkg --force-depends --force-remove-reinstreq --remove lab-old:all');
  t.equal(
    step('install'),
    `dpkg ${keep} --auto-deconfigure --install /stage/packages/lab-app.deb /stage/packages/lab-hangs.deb`,
  );
  t.equal(step('configure'), `dpkg ${keep} --configure --pending`);
  t.equal(
    step('apt'),
    'apt-get -c /stage/apt.conf -q -y install lab-app:amd64=2.0 lab-hangs:all=2.0 lab-old:all-',
  );
  t.equal(
    step('install', ['lab-hangs']),
    `dpkg ${keep} --auto-deconfigure --install /stage/packages/lab-app.deb`,
  );
  t.same([step('configure', ['lab-hangs']), step('apt', ['lab-hangs'])], [undefined, undefined]);
  t.equal(step('remove', [], planOf(change('lab-app', '2.0'))), undefined);
  t.equal(step('install', [], planOf(change('lab-old', null))), undefined);
  t.end();
});

void t.test('configuration files are read out of both registers', (t) => {
  const conffiles = [
    '',
    ' /etc/lab.conf 0123456789abcdef0123456789abcdef',
    ' /etc/with blank.conf 0123456789abcdef0123456789abcdef obsolete',
    ' /etc/new.conf newconffile',
    '',
  ].join('\n');
  t.same(parseConffiles(conffiles), ['/etc/lab.conf', '/etc/with blank.conf', '/etc/new.conf']);
  t.same(parseUcfRegistry('lab-app   /etc/lab-ucf.conf\nother\t/etc/other.conf\n', new Set(['lab-app'])), [
    '/etc/lab-ucf.conf',
  ]);
  t.end();
});

void t.test('states and fingerprint wanted at once are one question, later ones are new', async (t) => {
  const { run, files } = await machine();
  let questions = 0;
  const counting: RunCommand = (file, args, options) => {
    if (file === 'dpkg-query') questions += 1;
    return run(file, args, options);
  };
  const database = dpkgDatabase(counting, files);
  const [states, fingerprint] = await Promise.all([database.states(), database.fingerprint()]);
  t.strictSame(states, parseStates(listing));
  t.equal(fingerprint, fingerprintOf(listing));
  t.equal(questions, 1);
  await database.states();
  t.equal(questions, 2);
});
