import t from 'tap';
import type { Test } from 'tap';
import { changesOf, nextStage, planningMachine, type PlanningMachine } from '../fixtures/planning-machine.js';
import {
  debOf,
  machineWithVersion1,
  putRepository,
  version2Debs,
  type RepositoryOptions,
} from '../laboratory/laboratory.js';

const layer = await machineWithVersion1(['lab-good']);

async function machineWithRepository(
  test: Test,
  packages: readonly string[],
  options: RepositoryOptions,
): Promise<PlanningMachine> {
  const made = await planningMachine(test, layer);
  await made.machine.remove('/srv/repository');
  await putRepository(made.machine, version2Debs(packages), options);
  await made.machine.run('rm -rf /var/lib/apt/lists/*; apt-get update');
  return made;
}

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
    t.same(changesOf(allowed), ['upgrade lab-good:all 1.0 2.0']);
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
    const { prepare, machine } = await planningMachine(t, layer);
    await machine.run(
      "sed -i 's/^Signed-By:.*/Trusted: yes/' /etc/apt/sources.list.d/laboratory-stable.sources; rm -rf /var/lib/apt/lists/*; apt-get update",
    );
    t.match(await prepare({ mode: 'packages', packages: ['lab-good'] }), {
      error: { code: 'SOURCE_UNSIGNED' },
    });
  },
);

void t.test(
  'a signature that does not hold is told as such, and nobody is told to trust the source',
  async (t) => {
    const { prepare, machine } = await planningMachine(t, layer);
    const source = '/etc/apt/sources.list.d/laboratory-stable.sources';
    const fields = await machine.read(source);
    const refused = async (why: RegExp): Promise<void> => {
      await machine.run('rm -rf /var/lib/apt/lists/*');
      const { error } = await prepare({ refresh: true });
      t.equal(error?.code, 'SOURCE_UNSIGNED');
      t.match(
        error?.message,
        /^apt refuses the indexes, since a signature does not hold: copy:\/srv\/repository /,
      );
      t.match(error?.message, why);
      t.match(error?.hint, /^put the right key into Signed-By/);
      t.notMatch(error?.hint, /trusted=yes|unsignedSources/);
    };
    await machine.write(source, fields.replace(/^Signed-By:.*\n/m, ''));
    await refused(/Missing key [0-9A-F]{40}/);
    await machine.write(source, fields);
    await machine.run("sed -i 's/^Label: .*/Label: Changed/' /srv/repository/dists/stable/InRelease");
    await refused(/Message has been manipulated/);
  },
);

void t.test('a signed index vouches for a package that an unsigned one offers, too', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
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
  const { prepare, machine } = await planningMachine(t, layer);
  const newer = debOf({ name: 'lab-good', version: '3.0' });
  await putRepository(machine, [newer]);
  t.ok(changesOf(await prepare())?.includes('upgrade lab-good:all 1.0 2.0'), 'not asked for, not refreshed');
  t.same(changesOf(await prepare({ refresh: true })), ['upgrade lab-good:all 1.0 3.0']);
  await machine.write('/etc/apt/sources.list.d/gone.list', 'deb [trusted=yes] copy:/srv/gone ./\n');
  t.match(await prepare({ refresh: true }), {
    error: { code: 'PLAN_FAILED', message: /the package indexes could not be fetched: .*\/srv\/gone/ },
  });
});
