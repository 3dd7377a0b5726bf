import t from 'tap';
import type { Test } from 'tap';
import type { PlanningResult } from '../fixtures/planning-driver.js';
import { nextStage, planningMachine, type PlanningMachine } from '../fixtures/planning-machine.js';
import {
  debOf,
  machineWithVersion1,
  putRepository,
  version2Debs,
  type Layer,
  type RepositoryOptions,
} from '../laboratory/laboratory.js';

const names = ['lab-good', 'lab-old', 'lab-new', 'lab-needs-more', 'lab-epoch', 'lab-library', 'lab-program'];
const layer = await machineWithVersion1(names);

async function machineOn(test: Test, base: Layer = layer): Promise<PlanningMachine> {
  const made = await planningMachine(base);
  test.teardown(() => made.dispose());
  return made;
}

/** A machine whose one repository is another one; `apt-get update` accepts it. */
async function machineWithRepository(
  test: Test,
  packages: readonly string[],
  options: RepositoryOptions,
): Promise<PlanningMachine> {
  const made = await machineOn(test);
  await made.machine.remove('/srv/repository');
  await putRepository(made.machine, version2Debs(packages), options);
  await made.machine.run('rm -rf /var/lib/apt/lists/*; apt-get update');
  return made;
}

function changes({ plan }: PlanningResult): string[] | undefined {
  return plan?.changes.map(
    ({ action, name, architecture, from, to, automatic }) =>
      `${action} ${name}:${architecture} ${from ?? '-'} ${to ?? '-'}${automatic ? ' auto' : ''}`,
  );
}

void t.test('an upgrade takes new dependencies along and removes nothing', async (t) => {
  const { prepare } = await machineOn(t);
  const result = await prepare();
  t.equal(result.error, undefined);
  t.same(changes(result), [
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
    Object.keys(result.files).filter((path) => !path.startsWith('packages/')),
    ['apt.conf', 'lists/_var_lib_system-update_packages_._Packages', 'lists/lock', 'sources.list'].filter(
      (path) => path in result.files,
    ),
  );
});

void t.test('a full upgrade also removes what is in the way', async (t) => {
  const { prepare } = await machineOn(t);
  const result = await prepare({ mode: 'full-upgrade' });
  t.equal(result.error, undefined);
  t.ok(changes(result)?.includes('upgrade lab-new:all 1.0 2.0'));
  t.ok(changes(result)?.includes('remove lab-old:all 1.0 -'));
  t.same(result.differences, []);
});

void t.test('named packages: a newer one, a new one, and one at a version of its own', async (t) => {
  const { prepare, machine } = await machineOn(t);
  const newer = await prepare({ mode: 'packages', packages: ['lab-program', 'lab-more'] });
  t.same(changes(newer), [
    'upgrade lab-library:all 1.0 2.0',
    'install lab-more:all - 2.0',
    'upgrade lab-program:all 1.0 2.0',
  ]);
  const v1 = debOf({ name: 'lab-good', version: '0.9' });
  await putRepository(machine, [v1], { suite: 'older', folder: '/srv/older' });
  const older = await prepare({ mode: 'packages', packages: ['lab-good=0.9'], refresh: true });
  t.equal(older.error, undefined);
  t.same(changes(older), ['downgrade lab-good:all 1.0 0.9']);
  t.same(older.differences, []);
});

void t.test('what apt marks as automatic stays so in the plan', async (t) => {
  const { prepare } = await machineOn(t);
  const result = await prepare({ before: 'apt-mark auto lab-library lab-epoch >/dev/null' });
  t.ok(changes(result)?.includes('upgrade lab-library:all 1.0 2.0 auto'));
  t.ok(changes(result)?.includes('upgrade lab-epoch:amd64 1:1.0-1 1:2.0-1+b1 auto'));
  t.ok(changes(result)?.includes('upgrade lab-program:all 1.0 2.0'));
});

void t.test('nothing to do, unknown names and words that are no names', async (t) => {
  const { prepare } = await machineOn(t);
  t.match(await prepare({ mode: 'packages', packages: ['apt'] }), { error: { code: 'NOTHING_TO_DO' } });
  t.match(await prepare({ mode: 'packages', packages: ['no-such-package'] }), {
    error: { code: 'PLAN_FAILED', message: 'apt-get finds no way: Unable to locate package no-such-package' },
  });
  for (const word of ['lab-good-', '-oDebug::NoLocking=1', 'lab.*d^', './x.deb', 'lab-good/stable']) {
    t.match(
      await prepare({ mode: 'packages', packages: [word] }),
      { error: { code: 'REQUEST_INVALID' } },
      word,
    );
  }
});

void t.test('a held package is left alone, and refused by name with apt’s words', async (t) => {
  const { prepare } = await machineOn(t);
  const held = await prepare({ before: 'apt-mark hold lab-good >/dev/null' });
  t.equal(held.error, undefined);
  t.notOk(changes(held)?.some((line) => line.includes('lab-good')));
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
    const phased = (percentage: string) =>
      ({ indexFields: new Map([['lab-good', { 'Phased-Update-Percentage': percentage }]]) }) as const;
    const never = await machineWithRepository(t, ['lab-good', 'lab-epoch'], phased('0'));
    t.same(changes(await never.prepare()), ['upgrade lab-epoch:amd64 1:1.0-1 1:2.0-1+b1']);
    const named = await never.prepare({ mode: 'packages', packages: ['lab-good'] });
    t.equal(named.error, undefined);
    t.same(changes(named), ['upgrade lab-good:all 1.0 2.0']);
    t.same(named.differences, []);
  },
);

void t.test('an unsigned source is refused by name; allowed by policy it stands in the plan', async (t) => {
  const { prepare, machine } = await machineWithRepository(t, ['lab-good'], {
    signed: false,
    source: { Trusted: 'yes' },
  });
  for (const options of ['trusted=yes', 'allow-insecure=yes']) {
    await machine.remove('/etc/apt/sources.list.d/laboratory-stable.sources');
    const source = `deb [${options}] copy:/srv/repository stable main\n`;
    await machine.write('/etc/apt/sources.list.d/unsigned.list', source);
    await machine.run('rm -rf /var/lib/apt/lists/*; apt-get update');
    const refused = await prepare();
    t.match(refused.error, { code: 'SOURCE_UNSIGNED', hint: /unsignedSources = "allow"/ });
    t.equal(
      refused.error?.message,
      'the package index of copy:/srv/repository stable is not signed, so nothing vouches for lab-good',
    );
    const allowed = await prepare({ policy: { unsignedSources: 'allow' } });
    t.equal(allowed.error, undefined);
    t.same(allowed.plan?.unsignedSources, ['copy:/srv/repository stable']);
    t.same(changes(allowed), ['upgrade lab-good:all 1.0 2.0']);
    await machine.remove(nextStage);
  }
  await machine.write('/etc/apt/sources.list.d/unsigned.list', 'deb copy:/srv/repository stable main\n');
  t.match(await prepare({ refresh: true }), {
    error: { code: 'SOURCE_UNSIGNED', message: /is (?:not|no longer) signed/ },
  });
});

void t.test(
  'a signature that apt could not check is none, though the source is called trusted',
  async (t) => {
    const { prepare, machine } = await machineOn(t);
    await machine.run(
      "sed -i 's/^Signed-By:.*/Trusted: yes/' /etc/apt/sources.list.d/laboratory-stable.sources; rm -rf /var/lib/apt/lists/*; apt-get update",
    );
    t.match(await prepare({ mode: 'packages', packages: ['lab-good'] }), {
      error: { code: 'SOURCE_UNSIGNED' },
    });
  },
);

void t.test('a signed index vouches for a package that an unsigned one offers, too', async (t) => {
  const { prepare, machine } = await machineOn(t);
  await putRepository(machine, version2Debs(['lab-good', 'lab-more']), {
    suite: 'unsigned',
    signed: false,
    source: { Trusted: 'yes' },
  });
  await machine.run('apt-get update');
  const good = await prepare({ mode: 'packages', packages: ['lab-good'] });
  t.equal(good.error, undefined);
  t.same(good.plan?.unsignedSources, []);
});

void t.test(
  'an index without SHA-256 is refused by name; allowed, the file’s own hash is sealed',
  async (t) => {
    const { prepare } = await machineWithRepository(t, ['lab-good'], {
      signed: false,
      hashes: 'md5',
      source: { Trusted: 'yes', 'Allow-Weak': 'yes' },
    });
    const refused = await prepare();
    t.match(refused.error, { code: 'SOURCE_UNSIGNED' });
    const allowed = await prepare({ policy: { unsignedSources: 'allow' } });
    t.equal(allowed.error, undefined);
    t.equal(allowed.plan?.changes[0]?.sha256, version2Debs(['lab-good'])[0]?.sha256);
  },
);

void t.test('refresh finds what is new; a source that fails is no silent success', async (t) => {
  const { prepare, machine } = await machineOn(t);
  const newer = debOf({ name: 'lab-good', version: '3.0' });
  await putRepository(machine, [newer]);
  t.ok(changes(await prepare())?.includes('upgrade lab-good:all 1.0 2.0'), 'not asked for, not refreshed');
  t.same(changes(await prepare({ refresh: true })), ['upgrade lab-good:all 1.0 3.0']);
  await machine.write('/etc/apt/sources.list.d/gone.list', 'deb [trusted=yes] copy:/srv/gone ./\n');
  t.match(await prepare({ refresh: true }), {
    error: { code: 'PLAN_FAILED', message: /the package indexes could not be fetched: .*\/srv\/gone/ },
  });
});

void t.test('another holder of a lock is told at once', async (t) => {
  const { prepare } = await machineOn(t);
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
  const { prepare, machine } = await machineOn(t);
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

void t.test(
  'a download is resumed where it was interrupted, and good files are not fetched twice',
  async (t) => {
    const { prepare, machine } = await machineOn(t, await machineWithVersion1(['lab-good', 'lab-big']));
    await machine.run(
      "ip link set lo up 2>/dev/null; sed -i 's#copy:/srv/repository#http://127.0.0.1:8080#' /etc/apt/sources.list.d/*.sources",
    );
    const interrupted = await prepare({ refresh: true, serve: { interruptAfterBytes: 3_000_000 } });
    t.match(interrupted.error, { code: 'DOWNLOAD_FAILED', message: 'interrupted by SIGINT' });
    t.ok(machine.exists(`${nextStage}/packages/partial/lab-big_2.0_all.deb`));
    t.notOk(machine.exists(`${nextStage}/download.log`));

    const resumed = await prepare({ serve: {} });
    t.equal(resumed.error, undefined);
    const range = resumed.served.find((line) => line.includes('lab-big'));
    t.match(range, /^\/pool\/lab-big_2\.0_all\.deb bytes=[1-9]\d*-$/);
    t.same(resumed.differences, []);

    await machine.write(
      `${nextStage}/packages/lab-good_2.0_all.deb`,
      'x'.repeat(resumed.plan?.changes[1]?.sizeBytes ?? 0),
    );
    const again = await prepare({ serve: {} });
    t.equal(again.error, undefined);
    t.same(again.served, ['/pool/lab-good_2.0_all.deb'], 'only the one whose content is wrong');
    const percents = resumed.progress.map((event) => event.percent);
    t.same(
      percents,
      [...percents].sort((a, b) => a - b),
    );
    t.ok(percents.every((percent) => percent < 100));
  },
);

void t.test(
  'a file: source is copied into the stage, a file that changed in the source is told',
  async (t) => {
    const { prepare, machine } = await machineOn(t);
    await machine.run("sed -i 's#copy:#file:#' /etc/apt/sources.list.d/*.sources; apt-get update");
    const copied = await prepare({ mode: 'packages', packages: ['lab-epoch'] });
    t.equal(copied.error, undefined);
    t.ok('packages/lab-epoch_1%3a2.0-1+b1_amd64.deb' in copied.files);
    await machine.remove('/srv/repository/pool/lab-good_2.0_all.deb');
    t.match(await prepare({ mode: 'packages', packages: ['lab-good'] }), {
      error: { code: 'DOWNLOAD_FAILED', message: /lab-good_2\.0_all\.deb cannot be read/ },
    });
  },
);

void t.test('a pin or a default release of the machine does not disturb the frozen lists', async (t) => {
  const { prepare, machine } = await machineOn(t);
  await machine.write('/etc/apt/apt.conf.d/99default', 'APT::Default-Release "stable";\n');
  await machine.write(
    '/etc/apt/preferences.d/pin',
    'Package: lab-good\nPin: version 1.0\nPin-Priority: 1001\n',
  );
  const result = await prepare();
  t.equal(result.error, undefined);
  t.notOk(changes(result)?.some((line) => line.includes('lab-good')));
  t.same(result.differences, []);
});
