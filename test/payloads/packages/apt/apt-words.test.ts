/** What we say to apt and what apt says to us: pure parsers and writers. */
import fc from 'fast-check';
import t from 'tap';
import {
  aptConfiguration,
  sourcesList,
  stagedConfig,
} from '../../../../src/payloads/packages/apt/apt-config.js';
import { aptError, aptWords } from '../../../../src/payloads/packages/apt/apt-error.js';
import {
  differences,
  inShort,
  parseSimulation,
  type SimulatedChange,
} from '../../../../src/payloads/packages/apt/apt-simulate.js';
import { archiveFileName, parseArchiveFileName } from '../../../../src/payloads/packages/apt/archive-file.js';
import { downloadProgress } from '../../../../src/payloads/packages/apt/download-progress.js';
import { localPath } from '../../../../src/payloads/packages/apt/local-source.js';
import {
  parseCounts,
  parseDiskBytes,
  parseRemoved,
  parseSelections,
  parseUris,
} from '../../../../src/payloads/packages/apt/print-uris.js';
import { proxySettings } from '../../../../src/payloads/packages/apt/proxy-settings.js';
import { parseTarget, unsignedPackages } from '../../../../src/payloads/packages/apt/signed-sources.js';
import { memoryFileSystem } from '../../../fixtures/memory-file-system.js';
import { defaultPolicy } from '../../../../src/update/policy.js';
import type { PackageChange, PackagesPlan } from '../../../../src/update/plan.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

const name = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{1,12}$/);
const version = fc.stringMatching(/^(\d:)?[0-9][A-Za-z0-9.+~]{0,8}(-[0-9][A-Za-z0-9.+~]{0,4})?$/);
const architecture = fc.constantFrom('all', 'amd64', 'arm64');

void t.test('each step of a simulation is read back as it was', (t) => {
  const step = fc.record({
    name,
    architecture,
    from: fc.option(version),
    to: version,
    foreign: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(step),
      fc.array(fc.record({ name, version, purged: fc.boolean() })),
      (steps, gone) => {
        const lines = steps.flatMap((one) => {
          const key =
            one.foreign && one.architecture !== 'all' ? `${one.name}:${one.architecture}` : one.name;
          const before = one.from === null ? '' : `[${one.from}] `;
          const after = `(${one.to} Debian:13.1/stable, Debian-Security:13/stable-security [${one.architecture}])`;
          return [`Inst ${key} ${before}${after} [broken:amd64 ]`, `Conf ${key} ${after}`];
        });
        const removals = gone.map((one) => `${one.purged ? 'Purg' : 'Remv'} ${one.name} [${one.version}]`);
        const output = ['Reading package lists...', ...removals, ...lines, ''].join('\n');
        const expected: SimulatedChange[] = [
          ...gone.map((one) => ({ name: one.name, architecture: undefined, from: one.version, to: null })),
          ...steps.map((one) => ({
            name: one.name,
            architecture: one.architecture,
            from: one.from,
            to: one.to,
          })),
        ];
        t.same(parseSimulation(output), expected);
      },
    ),
    { numRuns: 50 },
  );
  t.same(parseSimulation('Remv libc6:i386 [2.41-1] [libfoo:i386 ]'), [
    { name: 'libc6', architecture: 'i386', from: '2.41-1', to: null },
  ]);
  t.end();
});

function change(fields: Partial<PackageChange>): PackageChange {
  const base = { name: 'aa', architecture: 'all', action: 'upgrade', from: '1', to: '2' } as const;
  return { ...base, automatic: false, file: 'packages/aa_2_all.deb', sizeBytes: 1, sha256: null, ...fields };
}

function planOf(...changes: PackageChange[]): PackagesPlan {
  return packagesPlan(changes);
}

void t.test('a simulation equals its plan in any order, and each deviation is told', (t) => {
  const gone = change({ name: 'bb', architecture: 'amd64', action: 'remove', to: null, file: null });
  const plan = planOf(change({}), gone);
  const same: SimulatedChange[] = [
    { name: 'bb', architecture: undefined, from: '1', to: null },
    { name: 'aa', architecture: 'all', from: '1', to: '2' },
  ];
  t.same(differences(plan, same), []);
  t.equal(inShort(['a', 'b', 'c', 'd', 'e']), 'a; b; c; d; e');
  t.equal(inShort(['a', 'b', 'c', 'd', 'e', 'f', 'g']), 'a; b; c; d; e; and 2 more');
  t.same(differences(plan, [...same, { name: 'cc', architecture: 'all', from: null, to: '1' }]), [
    'not planned, but apt would: install cc:all 1',
  ]);
  t.same(differences(plan, same.slice(1)), ['planned, but apt would not: remove bb:amd64 1']);
  t.same(differences(plan, [...same.slice(0, 1), { name: 'aa', architecture: 'all', from: '1', to: '3' }]), [
    'planned, but apt would not: aa:all 1 to 2',
    'not planned, but apt would: aa:all 1 to 3',
  ]);
  t.end();
});

void t.test('each step that apt told is looked at a few times, however many there are', (t) => {
  const count = 1000;
  let looks = 0;
  const simulated = Array.from({ length: count }, (_, index): SimulatedChange => ({
    get name() {
      looks += 1;
      return `aa${index}`;
    },
    architecture: 'all',
    from: '1',
    to: '2',
  }));
  const changes = simulated.map(({ name }) => ({ name, architecture: 'all', from: '1', to: '2' })).reverse();
  looks = 0;
  t.same(differences({ changes } as unknown as PackagesPlan, simulated), []);
  t.ok(looks <= 5 * count, `${looks} looks at ${count} steps`);
  t.end();
});

void t.test('files to download are read with and without a hash', (t) => {
  const hash = 'fd5ab38007e0cceb45b2b2639baa2a0c664b16be532b66c94a0cc28bc2991e6f';
  const output = [
    'After this operation, 1,234 kB of additional disk space will be used.',
    `'copy:/repo/./bb_2%7erc1.deb' bb_1%3a2~rc1_amd64.deb 20672 SHA256:${hash.toUpperCase()}`,
    "'http://x/aa.deb' aa_2_all.deb 7 ",
    "'http://x/cc.deb' cc_2_all.deb 8 MD5Sum:00112233445566778899aabbccddeeff",
  ].join('\n');
  t.same(
    [...parseUris(output)],
    [
      ['bb_1%3a2~rc1_amd64.deb', { uri: 'copy:/repo/./bb_2%7erc1.deb', sizeBytes: 20672, sha256: hash }],
      ['aa_2_all.deb', { uri: 'http://x/aa.deb', sizeBytes: 7, sha256: null }],
      ['cc_2_all.deb', { uri: 'http://x/cc.deb', sizeBytes: 8, sha256: null }],
    ],
  );
  t.equal(parseDiskBytes(output), 1_234_000);
  t.equal(parseDiskBytes('After this operation, 5.5 MB disk space will be freed.\n'), -5_500_000);
  t.equal(parseDiskBytes('After this operation, 0 B of additional disk space will be used.\n'), 0);
  t.equal(parseDiskBytes(''), 0);
  t.same(
    [...parseSelections("Note, selecting 'postfix' instead of 'mail-transport-agent'\n")],
    [['mail-transport-agent', 'postfix']],
  );
  const summary = [
    'The following packages will be REMOVED:',
    '  old purged* other:i386',
    '  more',
    'The following packages will be upgraded:',
    '  aa',
    '3 upgraded, 1 newly installed, 2 downgraded, 1 reinstalled, 4 to remove and 5 not upgraded.',
  ].join('\n');
  t.same(parseRemoved(summary), ['old', 'purged', 'other:i386', 'more']);
  t.same(parseCounts(summary), { brought: 7, removed: 4 });
  t.same(parseRemoved('nothing'), []);
  t.same(parseCounts('nothing'), { brought: 0, removed: 0 });
  t.end();
});

void t.test('apt names archive files so that no other package can have the same', (t) => {
  t.equal(
    archiveFileName({ name: 'bb', version: '1:2~rc1+x', architecture: 'amd64' }),
    'bb_1%3a2~rc1+x_amd64.deb',
  );
  t.equal(
    archiveFileName({ name: 'aa', version: '1_2%é', architecture: 'a.b' }),
    'aa_1%5f2%25%c3%a9_a%2eb.deb',
  );
  t.same(parseArchiveFileName('aa_1%5f2%25%c3%a9_a%2eb.deb'), {
    name: 'aa',
    version: '1_2%é',
    architecture: 'a.b',
  });
  for (const other of ['aa.deb', 'aa_1_all', 'a_b_c_d.deb']) t.equal(parseArchiveFileName(other), undefined);
  const identity = fc.record({ name, version, architecture });
  fc.assert(
    fc.property(identity, identity, (a, b) => {
      t.equal(archiveFileName(a) === archiveFileName(b), JSON.stringify(a) === JSON.stringify(b));
      t.same(parseArchiveFileName(archiveFileName(a)), a);
    }),
    { numRuns: 50 },
  );
  t.end();
});

void t.test('download progress never goes back and never says that all is done', (t) => {
  const event = fc.oneof(
    fc.record({ percent: fc.double({ min: 0, max: 120, noNaN: true }) }),
    fc.record({ bytes: fc.nat(1000) }),
  );
  fc.assert(
    fc.property(fc.array(event), fc.nat(5000), (events, there) => {
      const progress = downloadProgress(10_000, there);
      let last = 0;
      for (const one of events) {
        const told =
          'bytes' in one
            ? progress.add(one.bytes, 'Copied')
            : progress.see(`dlstatus:1:${one.percent.toFixed(4)}:Retrieving file 1 of 2`);
        const { percent = -1, bytesDone = -1 } = told ?? {};
        t.ok(percent >= last && percent < 100 && bytesDone <= 10_000);
        last = percent;
      }
    }),
    { numRuns: 50 },
  );
  const progress = downloadProgress(2000, 1000);
  t.same(progress.see('dlstatus:1:50.0000:Retrieving file 1 of 2 (1min left)'), {
    percent: 75,
    text: 'Retrieving file 1 of 2 (1min left)',
    bytesDone: 1500,
    bytesTotal: 2000,
  });
  t.equal(progress.see('pmstatus:aa:1.0:Installing aa'), undefined);
  t.end();
});

void t.test('local sources are told from those that must be downloaded', (t) => {
  t.equal(localPath('file:/srv/a%20b/x.deb'), '/srv/a b/x.deb');
  t.equal(localPath('file:///srv/x.deb'), '/srv/x.deb');
  t.equal(localPath('file://localhost/srv/x.deb'), '/srv/x.deb');
  t.equal(localPath('copy:/srv/./x%7e.deb'), '/srv/./x~.deb');
  t.equal(localPath('http://h/srv/x.deb'), undefined);
  t.equal(localPath('mirror+file:/srv/list/x.deb'), undefined);
  t.equal(localPath('file:/srv/%zz'), undefined);
  t.end();
});

void t.test('a source counts as signed only with a checked signature in apt’s lists', (t) => {
  const folder = '/var/lib/apt/lists';
  const row = (trusted: string) =>
    [
      'http://h/debian/',
      'stable',
      'main/binary-amd64/Packages',
      `${folder}/h_d_main_binary-amd64_Packages`,
      trusted,
    ].join('\t');
  const signed = (trusted: string, ...files: string[]) =>
    parseTarget(row(trusted), new Map([[folder, new Set(files)]])).signed;
  t.equal(signed('yes', 'h_d_InRelease'), true);
  t.equal(signed('yes', 'h_d_Release', 'h_d_Release.gpg'), true);
  t.equal(signed('yes', 'h_d_Release'), false);
  t.equal(signed('yes', 'other_InRelease'), false);
  t.equal(signed('no', 'h_d_InRelease'), false);
  t.equal(parseTarget(row('yes'), new Map()).description, 'http://h/debian stable');
  t.end();
});

void t.test('the name and password in the address of a source are never told', async (t) => {
  const uri = 'http://ann:s3cret@h/debian/';
  const source = parseTarget([uri, 'stable', 'main', '/lists/h_d_main', 'no'].join('\t'), new Map());
  t.equal(source.description, 'http://h/debian stable');
  t.equal(source.baseUri, uri, 'it is known by its whole address');
  const ports = { runCommand: () => Promise.reject(new Error('not asked')), files: memoryFileSystem() };
  const wanted = { name: 'lab', uri: `${uri}lab.deb`, sha256: null };
  t.same(await unsignedPackages(ports, [], [wanted]), [
    { name: 'lab', sources: ['http://h/debian/lab.deb'] },
  ]);
});

void t.test('apt’s errors keep apt’s words; a held lock names its holder', (t) => {
  const unmet = ' lab : Depends: lib (= 2.0) but 1.0 is to be installed\nE: Broken packages\n';
  t.equal(aptWords(unmet), 'lab : Depends: lib (= 2.0) but 1.0 is to be installed; Broken packages');
  t.equal(aptWords('no sign\n\nof an error\n'), 'no sign; of an error');
  const held = (text: string) => aptError('PLAN_FAILED', 'x', text);
  t.match(
    held(
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 12 (apt-get)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
    ),
    { code: 'BUSY', message: '/var/lib/dpkg/lock-frontend is held by process 12 (apt-get)' },
  );
  t.match(held('E: Could not get lock /x/lock - open (11: Resource temporarily unavailable)'), {
    code: 'BUSY',
    message: '/x/lock is held by another process',
  });
  t.match(
    held("E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem."),
    {
      code: 'PLAN_FAILED',
      hint: 'dpkg --configure -a',
    },
  );
  t.match(aptError('DOWNLOAD_FAILED', 'what failed', 'E: because'), {
    code: 'DOWNLOAD_FAILED',
    message: 'what failed: because',
  });
  t.end();
});

void t.test(
  'apt.conf of a stage: only what the plan has is allowed, and the policy decides conffiles',
  (t) => {
    t.equal(stagedConfig.index, 'lists/_var_lib_system-update_packages_._Packages');
    t.equal(sourcesList(), 'deb [trusted=yes] copy:/var/lib/system-update/packages ./\n');
    const upgrade = aptConfiguration(planOf(change({})), defaultPolicy);
    t.match(upgrade, /^APT::Get::Remove "false";$/m);
    t.match(upgrade, /^APT::Get::allow-downgrades "false";$/m);
    t.match(upgrade, /^Dpkg::Options:: "--force-confold";$/m);
    t.match(upgrade, /^DPkg::Lock::Timeout "60";$/m);
    t.match(upgrade, /^DPkg::Path "\/usr\/lib\/offline-update\/stand-ins:\/usr\/sbin:/m);
    const other = aptConfiguration(
      planOf(change({ action: 'downgrade' }), change({ action: 'remove', to: null, file: null })),
      { ...defaultPolicy, conffiles: 'replace', lockTimeoutSeconds: 5 },
    );
    t.match(other, /^APT::Get::Remove "true";$/m);
    t.match(other, /^APT::Get::allow-downgrades "true";$/m);
    t.match(other, /^Dpkg::Options:: "--force-confnew";$/m);
    t.notMatch(other, /force-confold/);
    t.match(other, /^DPkg::Lock::Timeout "5";$/m);
    t.end();
  },
);

void t.test('of the caller’s environment only the proxies reach a download', (t) => {
  t.same(proxySettings({ http_proxy: 'http://p:1', no_proxy: '', HOME: '/x', LD_PRELOAD: 'y' }), {
    http_proxy: 'http://p:1',
  });
  t.end();
});
