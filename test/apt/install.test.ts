import { writeFile } from 'node:fs/promises';
import t from 'tap';
import { aptMachine, fixtureMachines, terminalLog } from '../fixtures/apt-machine.js';
import type { StepResult } from '../fixtures/apt-driver.js';
import { fingerprintOf } from '../../src/payloads/packages/apt/dpkg-database.js';
import {
  debOf,
  machineWithVersion1,
  repackedPackages,
  rootImage,
  tinyPackages,
} from '../laboratory/laboratory.js';

const machineFor = await fixtureMachines([
  'lab-good',
  'lab-asks',
  'lab-leaves-child',
  'lab-conffile',
  'lab-debconf',
  'lab-service',
  'lab-old',
  'lab-new',
  'lab-epoch',
  'lab-library',
  'lab-program',
  'lab-needs-more',
  ...tinyPackages(100),
]);

function percents(result: StepResult | undefined): number[] {
  return (result?.progress ?? []).map((event) => event.percent);
}

void t.test('one package is installed: progress rises to 99, the verification finds nothing', async (t) => {
  const { drive, state, machine } = await machineFor(t, ['lab-good']);
  const [install, verify] = await drive(['install', 'verify']);
  t.equal(install?.error, undefined);
  t.same(
    install?.progress?.map((event) => `${event.percent} ${event.item ?? '-'} ${event.text}`),
    [
      '0 - Running apt-get (0 of 1)',
      '0 - Running dpkg (0 of 1)',
      '4 lab-good Preparing lab-good (0 of 1)',
      '9 lab-good Unpacking lab-good (0 of 1)',
      '44 lab-good Installing lab-good (0 of 1)',
      '44 - Running dpkg (0 of 1)',
      '54 lab-good Preparing to configure lab-good (0 of 1)',
      '54 lab-good Configuring lab-good (0 of 1)',
      '99 lab-good Installed lab-good (1 of 1)',
    ],
  );
  t.same(verify?.findings, []);
  t.equal(await state('lab-good'), 'ii 2.0');
  t.match(
    await machine.read(terminalLog),
    /Setting up lab-good \(2\.0\) \.\.\.\nlab: good postinst configure 1\.0\n/,
  );
});

void t.test("a default release in the machine's own apt.conf is not held against the update", async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-good']);
  await machine.write('/etc/apt/apt.conf.d/99default', 'APT::Default-Release "stable";\n');
  const [install, verify] = await drive(['install', 'verify']);
  t.strictSame([install?.error, verify?.findings], [undefined, []]);
});

void t.test('the scripts get a whole environment of their own, and nothing is started', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-good', 'lab-service']);
  const [install] = await drive(['install']);
  t.equal(install?.error, undefined);
  const environment = await machine.read('/var/lib/lab-good.environment');
  t.match(environment, /^DEBIAN_FRONTEND=noninteractive$/m);
  t.match(environment, /^HOME=\/root$/m);
  t.match(environment, /^SYSTEMD_OFFLINE=1$/m);
  t.notMatch(environment, /^container=/m, 'nothing of ours is inherited');
});

void t.test('what can be thrown away as a whole is made by fewer runs of dpkg', async (t) => {
  const root = await rootImage();
  const essential = await repackedPackages(root, ['grep', 'gzip', 'hostname', 'sed']);
  const runsOfDpkg = async (revertible: boolean): Promise<number> => {
    const { drive, machine, dispose } = await aptMachine(root, essential);
    t.teardown(dispose);
    const [install, verify] = await drive(['install', 'verify'], { revertible });
    t.strictSame([install?.error, verify?.findings], [undefined, []]);
    return (await machine.read('/var/log/dpkg.log')).split('\n').filter((line) => / startup /.test(line))
      .length;
  };
  const [careful, quick] = [await runsOfDpkg(false), await runsOfDpkg(true)];
  t.ok(quick < careful, `${quick} instead of ${careful}`);
});

void t.test(
  'invariant 9: a hundred packages are there, and the verification tells when one is not',
  async (t) => {
    const { drive, machine } = await machineFor(t, tinyPackages(100));
    const [before] = await drive(['verify']);
    t.equal(before?.findings?.length, 100, 'nothing happened is never success');
    const [install, verify, leftovers] = await drive(['install', 'verify', 'leftovers']);
    t.equal(install?.error, undefined);
    t.same(
      percents(install),
      [...percents(install)].sort((a, b) => a - b),
      'the percentage never goes back',
    );
    t.equal(percents(install).at(-1), 99);
    t.match(install?.progress?.at(-1)?.text, /\(100 of 100\)$/);
    t.same([verify?.findings, leftovers?.leftovers], [[], []]);

    await machine.run('dpkg --force-depends --remove lab-tiny-007 && touch /var/lib/dpkg/updates/0003');
    const [after] = await drive(['verify']);
    t.same(after?.findings?.slice(0, 2), [
      {
        check: 'package-state',
        severity: 'block',
        evidence: 'lab-tiny-007:all should be 2.0 ii and is not installed',
        remedy: 'offline-update report',
      },
      {
        check: 'dpkg-journal',
        severity: 'block',
        evidence: 'dpkg was interrupted: 1 entries in its journal',
        remedy: 'offline-update report',
      },
    ]);
  },
);

void t.test('scripts that ask get no answer and no terminal; debconf takes its default', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-asks', 'lab-debconf']);
  const [install, verify] = await drive(['install', 'verify']);
  t.equal(install?.error, undefined);
  t.same(verify?.findings, []);
  t.match(await machine.read(terminalLog), /lab: asking\nlab: end of input\n(.*\n)?lab: no terminal\n/);
  t.equal(await machine.read('/etc/lab-debconf.answer'), 'default2\n');
});

void t.test('a child left behind with the output open delays nothing', async (t) => {
  const { drive } = await machineFor(t, ['lab-leaves-child']);
  const [install] = await drive(['install']);
  t.equal(install?.error, undefined);
  t.ok(install && install.seconds < 5, `${install?.seconds} s`);
});

void t.test('a changed configuration file is kept by default, and the new one is listed', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-conffile']);
  await machine.write('/etc/lab-untouched.conf.dpkg-old', 'of an earlier update\n');
  const [install, leftovers] = await drive(['install', 'leftovers']);
  t.equal(install?.error, undefined);
  t.same(leftovers?.leftovers, [
    { path: '/etc/lab-conffile.conf', leftover: '/etc/lab-conffile.conf.dpkg-dist' },
  ]);
  t.match(await machine.read('/etc/lab-conffile.conf'), 'as the administrator wants it');
  t.match(await machine.read('/etc/lab-untouched.conf'), 'version 2');
});

void t.test('by policy the new configuration file is taken, and the old one is listed', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-conffile']);
  const [install, leftovers] = await drive(['install', 'leftovers'], { policy: { conffiles: 'replace' } });
  t.equal(install?.error, undefined);
  t.same(leftovers?.leftovers, [
    { path: '/etc/lab-conffile.conf', leftover: '/etc/lab-conffile.conf.dpkg-old' },
  ]);
  t.match(await machine.read('/etc/lab-conffile.conf'), 'version 2');
});

void t.test('automatic marks are as the plan has them, though each package is named to apt', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-library', 'lab-program', 'lab-needs-more'], {
    automatic: ['lab-library', 'lab-more'],
  });
  await machine.run('apt-mark -qq auto lab-library');
  const [install] = await drive(['install']);
  t.equal(install?.error, undefined);
  const marked = await machine.run('apt-mark showauto lab-library lab-program lab-needs-more lab-more');
  t.equal(marked.stdout, 'lab-library\nlab-more\n');
});

void t.test('a removal, an epoch and an architecture are done as planned', async (t) => {
  const { drive, state } = await machineFor(t, ['lab-new', 'lab-epoch'], { removed: ['lab-old'] });
  const [install, verify] = await drive(['install', 'verify']);
  t.equal(install?.error, undefined);
  t.same(verify?.findings, []);
  t.same([await state('lab-old'), await state('lab-epoch')], ['un', 'ii 1:2.0-1+b1']);
});

void t.test('what goes leaves its configuration, also where apt.conf would purge it', async (t) => {
  const options = { removed: ['lab-conffile'] };
  const { drive, machine, state } = await machineFor(t, ['lab-good'], options);
  await machine.write('/etc/apt/apt.conf.d/99purge', 'APT::Get::Purge "true";\n');
  const [install, verify] = await drive(['install', 'verify']);
  t.strictSame([install?.error, verify?.findings], [undefined, []]);
  t.equal(await state('lab-conffile'), 'rc 1.0');
  t.ok(machine.exists('/etc/lab-conffile.conf'));
});

void t.test('an epoch of 0 is there, though dpkg leaves it out', async (t) => {
  const zero = debOf({ name: 'lab-good', version: '0:2.0' });
  const { drive, state, dispose } = await aptMachine(await machineWithVersion1(['lab-good']), [zero]);
  t.teardown(dispose);
  const [install, verify] = await drive(['install', 'verify']);
  t.strictSame([install?.error, verify?.findings], [undefined, []]);
  t.equal(await state('lab-good'), 'ii 2.0');
});

void t.test('the preflight waits for a dpkg at work, and calls nothing of it broken', async (t) => {
  const { drive, machine } = await machineFor(t, ['lab-good']);
  const slow = debOf({
    name: 'lab-slow',
    version: '1.0',
    scripts: { postinst: 'echo >/run/at-work; read -r _ </run/go' },
  });
  await writeFile(machine.path('/root/slow.deb'), slow.content);
  const before = `mkfifo /run/at-work /run/go
    dpkg -i /root/slow.deb >/dev/null 2>&1 &
    read -r _ </run/at-work`;
  const [result] = await drive(['preflight'], { before });
  t.match(result?.findings, [
    {
      check: 'lock-held',
      severity: 'block',
      evidence: /^dpkg \(process \d+\) is at work on the packages and holds \/var\/lib\/dpkg\/lock/,
    },
  ]);
  t.equal(result?.findings?.length, 1);
});

void t.test('the preflight finds nothing, until a package is changed or the plan is another', async (t) => {
  const { drive, machine, plan } = await machineFor(t, ['lab-good']);
  const listing = await machine.run([
    'dpkg-query',
    '-W',
    '-f',
    '${db:Status-Abbrev} ${Package}:${Architecture} ${Version}\\n',
  ]);
  plan.baseFingerprint = fingerprintOf(listing.stdout);
  const preflight = async (): Promise<string[] | undefined> => {
    const [result] = await drive(['preflight']);
    return result?.findings?.map(({ check, evidence }) => `${check}: ${evidence}`);
  };
  t.same(await preflight(), []);
  plan.changes = plan.changes.map((change) => ({ ...change, from: '0.9' }));
  t.same(await preflight(), [
    'drift: apt would now do something else than planned: planned, but apt would not: lab-good:all 0.9 to 2.0; ' +
      'not planned, but apt would: lab-good:all 1.0 to 2.0',
  ]);
  await machine.run('apt-mark -qq hold lab-epoch');
  t.same(await preflight(), [
    'drift: packages were installed, removed, held or released since the update was prepared',
  ]);
  await machine.write('/var/lib/dpkg/updates/0001', '');
  t.same(await preflight(), ['dpkg-dirty: dpkg was interrupted: 1 entries in its journal']);
});
