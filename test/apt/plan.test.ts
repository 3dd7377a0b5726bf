import t from 'tap';
import { changesOf, planningMachine } from '../fixtures/planning-machine.js';
import {
  debOf,
  machineWithVersion1,
  putRepository,
  version2Debs,
  type Deb,
} from '../laboratory/laboratory.js';

const names = ['lab-good', 'lab-old', 'lab-new', 'lab-needs-more', 'lab-epoch', 'lab-library', 'lab-program'];
const layer = await machineWithVersion1(names);

void t.test('an upgrade takes new dependencies along and removes nothing', async (t) => {
  const { prepare } = await planningMachine(t, layer);
  const result = await prepare();
  t.equal(result.error, undefined);
  t.same(changesOf(result), [
    'upgrade lab-epoch:amd64 1:1.0-1 1:2.0-1+b1',
    'upgrade lab-good:all 1.0 2.0',
    'upgrade lab-library:all 1.0 2.0',
    'install lab-more:all - 2.0 auto',
    'upgrade lab-needs-more:all 1.0 2.0',
    'upgrade lab-program:all 1.0 2.0',
  ]);
  const [epoch] = version2Debs(['lab-epoch']);
  t.match(result.plan?.changes[0], {
    file: 'packages/lab-epoch_1%3a2.0-1+b1_amd64.deb',
    sizeBytes: epoch?.content.length,
    sha256: epoch?.sha256,
  });
  t.same(result.differences, [], 'apt finds the same plan in the frozen lists');
  t.same(
    // apt leaves its lock there, or does not
    Object.keys(result.files).filter((path) => !path.startsWith('packages/') && path !== 'lists/lock'),
    ['apt.conf', 'as-decided.conf', 'lists/_var_lib_system-update_packages_._Packages', 'sources.list'],
  );
});

void t.test('a full upgrade also removes what is in the way', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  const result = await prepare({ mode: 'full-upgrade' });
  t.equal(result.error, undefined);
  t.ok(changesOf(result)?.includes('upgrade lab-new:all 1.0 2.0'));
  t.ok(changesOf(result)?.includes('remove lab-old:all 1.0 -'));
  t.same(result.differences, []);

  await machine.write('/etc/apt/apt.conf.d/99purge', 'APT::Get::Purge "true";\n');
  const purging = await prepare({ mode: 'full-upgrade' });
  t.same(changesOf(purging), changesOf(result), 'where apt would purge it, too');
  t.same(purging.differences, []);
});

void t.test('what the machine says of the looks of apt makes no difference', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  const plain = await prepare({ mode: 'full-upgrade' });
  const looks = [
    'APT::Get::Show-Versions "true";',
    'quiet "2";',
    'APT::Output-Version "30";',
    'APT::Color "1";',
    'APT::Cmd::Show-Update-Stats "true";',
    'APT::Get::Show-User-Simulation-Note "true";',
  ];
  await machine.write('/etc/apt/apt.conf.d/99looks', `${looks.join('\n')}\n`);
  const result = await prepare({ mode: 'full-upgrade' });
  t.equal(result.error, undefined);
  t.same(changesOf(result), changesOf(plain));
  t.equal(result.plan?.diskBytes, plain.plan?.diskBytes);
  t.same(result.differences, []);
});

void t.test('named packages: a newer one, a new one, and one at a version of its own', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  const newer = await prepare({ mode: 'packages', packages: ['lab-program', 'lab-more'] });
  t.same(changesOf(newer), [
    'upgrade lab-library:all 1.0 2.0',
    'install lab-more:all - 2.0',
    'upgrade lab-program:all 1.0 2.0',
  ]);
  const v1 = debOf({ name: 'lab-good', version: '0.9' });
  await putRepository(machine, [v1], { suite: 'older', folder: '/srv/older' });
  const older = await prepare({ mode: 'packages', packages: ['lab-good=0.9'], refresh: true });
  t.equal(older.error, undefined);
  t.same(changesOf(older), ['downgrade lab-good:all 1.0 0.9']);
  t.same(older.differences, []);
});

void t.test('what apt marks as automatic stays so in the plan', async (t) => {
  const { prepare } = await planningMachine(t, layer);
  const result = await prepare({ before: 'apt-mark auto lab-library lab-epoch >/dev/null' });
  t.ok(changesOf(result)?.includes('upgrade lab-library:all 1.0 2.0 auto'));
  t.ok(changesOf(result)?.includes('upgrade lab-epoch:amd64 1:1.0-1 1:2.0-1+b1 auto'));
  t.ok(changesOf(result)?.includes('upgrade lab-program:all 1.0 2.0'));
});

void t.test('nothing to do, unknown names and words that are no names', async (t) => {
  const { prepare } = await planningMachine(t, layer);
  t.match(await prepare({ mode: 'packages', packages: ['apt'] }), { error: { code: 'NOTHING_TO_DO' } });
  t.match(await prepare({ mode: 'packages', packages: ['no-such-package'] }), {
    error: {
      code: 'PLAN_FAILED',
      message: 'apt-get finds no way: Unable to locate package no-such-package',
      hint: 'apt-get --simulate install no-such-package',
    },
  });
  for (const word of ['lab-good-', '-oDebug::NoLocking=1', 'lab.*d^', './x.deb', 'lab-good/stable']) {
    t.match(
      await prepare({ mode: 'packages', packages: [word] }),
      { error: { code: 'REQUEST_INVALID' } },
      word,
    );
  }
});

void t.test('a name that is no package: who provides or replaces it is told', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  const one = (name: string, control: Record<string, string>): Deb =>
    debOf({ name, version: '1.0', control });
  const debs = [
    one('lab-two', { Provides: 'lab-virtual' }),
    one('lab-one', { Provides: 'lab-virtual' }),
    one('lab-three', { Replaces: 'lab-gone', Depends: 'lab-missing' }),
  ];
  await putRepository(machine, debs, { suite: 'more', folder: '/srv/more' });
  t.match(
    await prepare({
      mode: 'packages',
      packages: ['lab-virtual', 'lab-gone', 'lab-missing'],
      refresh: true,
    }),
    {
      error: {
        code: 'PLAN_FAILED',
        message:
          "apt-get finds no way: Package 'lab-virtual' has no installation candidate: " +
          "it is virtual; name one of lab-one, lab-two; Package 'lab-gone' has no installation candidate: " +
          "it is replaced by lab-three; Package 'lab-missing' has no installation candidate",
      },
    },
  );
});

void t.test('a held package is left alone, and refused by name with apt’s words', async (t) => {
  const { prepare } = await planningMachine(t, layer);
  const held = await prepare({ before: 'apt-mark hold lab-good >/dev/null' });
  t.equal(held.error, undefined);
  t.notOk(changesOf(held)?.some((line) => line.includes('lab-good')));
  t.match(await prepare({ mode: 'packages', packages: ['lab-good'] }), {
    error: { code: 'PLAN_FAILED', message: /Held packages were changed/ },
  });
  t.match(await prepare({ mode: 'full-upgrade', before: 'apt-mark hold lab-program >/dev/null' }), {
    error: undefined,
  });
});

void t.test(
  'a phased update waits for its turn, and then is decided for the update boot as well',
  async (t) => {
    const never = await planningMachine(t, layer);
    await putRepository(never.machine, version2Debs(['lab-good', 'lab-epoch']), {
      indexFields: new Map([['lab-good', { 'Phased-Update-Percentage': '0' }]]),
    });
    await never.machine.run('apt-get update');
    t.same(changesOf(await never.prepare()), ['upgrade lab-epoch:amd64 1:1.0-1 1:2.0-1+b1']);
    const named = await never.prepare({ mode: 'packages', packages: ['lab-good'] });
    t.equal(named.error, undefined);
    t.same(changesOf(named), ['upgrade lab-good:all 1.0 2.0']);
    t.same(named.differences, []);
  },
);

void t.test('another holder of a lock is told at once', async (t) => {
  const { prepare } = await planningMachine(t, layer);
  // a real apt that works: it waits in a hook, with its locks held
  const installing =
    "apt-get -y -o DPkg::Pre-Invoke::='touch /run/held; exec sleep infinity' install lab-good >/dev/null 2>&1 & " +
    'while [ ! -e /run/held ]; do sleep 0.01; done';
  t.match((await prepare({ before: installing })).error, {
    code: 'BUSY',
    message: /^\/var\/lib\/dpkg\/lock(?:-frontend)? is held by process \d+ \(apt-get\)$/,
  });
  // and one that reads an index which never comes; it has the lock when it opens the pipe
  const updating =
    'mkdir /srv/pipe; mkfifo /srv/pipe/InRelease; echo "deb copy:/srv/pipe ./" > /etc/apt/sources.list; ' +
    'apt-get update >/dev/null 2>&1 & exec 3>/srv/pipe/InRelease';
  t.match((await prepare({ refresh: true, before: updating })).error, {
    code: 'BUSY',
    message: /^\/var\/lib\/apt\/lists\/lock is held by process \d+ \(apt-get\)$/,
  });
});

void t.test('a package database that is not in order is told, with the cure', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  await machine.write('/var/lib/dpkg/updates/0001', 'Package: lab-good\n');
  t.match(await prepare(), {
    error: { code: 'PLAN_FAILED', message: /interrupted/, hint: 'dpkg --configure -a' },
  });
  await machine.remove('/var/lib/dpkg/updates/0001');
  t.match(
    await prepare({ before: 'dpkg --force-depends --unpack /srv/repository/pool/lab-good_2.0_all.deb' }),
    {
      error: { code: 'PLAN_FAILED', message: /lab-good/, hint: 'dpkg --configure -a' },
    },
  );
});

void t.test('a pin or a default release of the machine does not disturb the frozen lists', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  await machine.write('/etc/apt/apt.conf.d/99default', 'APT::Default-Release "stable";\n');
  await machine.write(
    '/etc/apt/preferences.d/pin',
    'Package: lab-good\nPin: version 1.0\nPin-Priority: 1001\n',
  );
  const result = await prepare();
  t.equal(result.error, undefined);
  t.notOk(changesOf(result)?.some((line) => line.includes('lab-good')));
  t.same(result.differences, []);
});
