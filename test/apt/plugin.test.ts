import t from 'tap';
import { readFile } from 'node:fs/promises';
import { changesOf, nextStage, planningMachine } from '../fixtures/planning-machine.js';
import {
  debOf,
  machineWithVersion1,
  version2Debs,
  type Deb,
  type Machine,
} from '../laboratory/laboratory.js';
import { writeFile } from 'node:fs/promises';

const layer = await machineWithVersion1([
  'lab-good',
  'lab-old',
  'lab-new',
  'lab-program',
  'lab-library',
  'lab-epoch',
]);

interface Listed {
  name: string;
  architecture: string;
  version: string;
  sha256: string;
  sizeBytes?: number;
  file?: string;
  automatic?: boolean;
}

function listed({ spec, sha256, content, fileName }: Deb): Listed {
  const { name, version, architecture = 'all' } = spec;
  return { name, architecture, version, sha256, sizeBytes: content.length, file: fileName };
}

/** The files into /srv/plugin, with the request beside them. */
async function handOver(machine: Machine, debs: readonly Deb[], request: object): Promise<void> {
  await machine.write('/srv/plugin/request.json', JSON.stringify(request));
  for (const deb of debs) await writeFile(machine.path(`/srv/plugin/${deb.fileName}`), deb.content);
}

const from = '/srv/plugin/request.json';

void t.test('a plugin’s packages and removals become the plan, without any index of apt', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  await machine.run('rm -rf /srv/repository /var/lib/apt/lists/*');
  const debs = [...version2Debs(['lab-new', 'lab-epoch']), debOf({ name: 'lab-extra', version: '1' })];
  const packages = debs
    .map(listed)
    .map((one) => (one.name === 'lab-extra' ? { ...one, automatic: true } : one));
  const request = { format: 1, manager: 'apt', packages, remove: [{ name: 'lab-old', architecture: 'all' }] };
  await handOver(machine, debs, request);
  const result = await prepare({ from });
  t.equal(result.error, undefined);
  t.same(changesOf(result), [
    'upgrade lab-epoch:amd64 1:1.0-1 1:2.0-1+b1',
    'install lab-extra:all - 1 auto',
    'upgrade lab-new:all 1.0 2.0',
    'remove lab-old:all 1.0 -',
  ]);
  t.same(result.differences, [], 'apt finds exactly this in the frozen lists');
  const [epoch] = version2Debs(['lab-epoch']);
  const staged = await readFile(machine.path(`${nextStage}/packages/lab-epoch_1%3a2.0-1+b1_amd64.deb`));
  t.ok(staged.equals(epoch?.content ?? Buffer.of()));
});

void t.test('on stdin, with a folder, and with files by the names that apt gives them', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  const [good] = version2Debs(['lab-good']);
  if (!good) throw new Error('no fixture');
  const { file, ...rest } = listed(good);
  t.equal(file, 'lab-good_2.0_all.deb');
  const request = { format: 1, manager: 'apt', packages: [rest], folder: '/srv/plugin' };
  await handOver(machine, [good], request);
  const result = await prepare({ from: '-', stdin: JSON.stringify(request) });
  t.equal(result.error, undefined);
  t.same(changesOf(result), ['upgrade lab-good:all 1.0 2.0']);
});

void t.test('what is installed already is no change', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  const debs = [debOf({ name: 'lab-extra', version: '1' }), debOf({ name: 'lab-zero', version: '0:1' })];
  await handOver(machine, debs, { format: 1, manager: 'apt', packages: debs.map(listed) });
  await machine.run('dpkg -i /srv/plugin/lab-extra_1_all.deb /srv/plugin/lab-zero_1_all.deb');
  t.match(await prepare({ from }), { error: { code: 'NOTHING_TO_DO' } });
});

void t.test('each kind of bad request is refused by name', async (t) => {
  const { prepare, machine } = await planningMachine(t, layer);
  const debs = version2Debs(['lab-good', 'lab-program', 'lab-library', 'lab-new']);
  const [good, program, library, fresh] = debs.map(listed) as [Listed, Listed, Listed, Listed];
  const other = '0'.repeat(64);
  const broken = 'not a package';
  await handOver(machine, debs, {});
  await machine.write('/srv/plugin/broken.deb', broken);
  await machine.run('mkdir /srv/plugin/folder.deb');
  const brokenHash = (await machine.run('sha256sum /srv/plugin/broken.deb')).stdout.slice(0, 64);

  const requests: [what: string, packages: Listed[], code: string, message: RegExp, rest?: object][] = [
    [
      'a wrong hash',
      [{ ...good, sha256: other }],
      'HASH_MISMATCH',
      /lab-good_2\.0_all\.deb has SHA-256 \w+, the request says 0+/,
    ],
    [
      'no file',
      [{ ...good, file: 'gone.deb' }],
      'REQUEST_INVALID',
      /\/srv\/plugin\/gone\.deb cannot be read/,
    ],
    ['a folder', [{ ...good, file: 'folder.deb' }], 'REQUEST_INVALID', /folder\.deb/],
    [
      'no package',
      [{ ...good, file: 'broken.deb', sha256: brokenHash }],
      'REQUEST_INVALID',
      /no Debian package/,
    ],
    ['another size', [{ ...good, sizeBytes: 1 }], 'REQUEST_INVALID', /bytes, the request says 1/],
    [
      'another version',
      [{ ...good, version: '3.0' }],
      'REQUEST_INVALID',
      /is of version "2\.0", the request says "3\.0"/,
    ],
    ['another name', [{ ...good, name: 'lab-bad' }], 'REQUEST_INVALID', /is of package "lab-good"/],
    [
      'another architecture',
      [{ ...good, architecture: 'amd64' }],
      'REQUEST_INVALID',
      /is of architecture "all"/,
    ],
    ['a dependency forgotten', [program], 'REQUEST_INVALID', /lab-library/],
    ['a removal forgotten', [fresh], 'REQUEST_INVALID', /remove/],
    ['named twice', [library, library], 'REQUEST_INVALID', /lab-library:all is named twice/],
    ['an unknown key', [good], 'REQUEST_INVALID', /Unrecognized key: "extra"/, { extra: 1 }],
    ['a later format', [good], 'FORMAT_TOO_NEW', /format 2/, { format: 2 }],
  ];
  for (const [what, packages, code, message, rest] of requests) {
    await machine.write(from, JSON.stringify({ format: 1, manager: 'apt', packages, ...rest }));
    const { error } = await prepare({ from });
    t.equal(error?.code, code, what);
    t.match(error?.message, message, what);
  }
  await machine.write(from, '{');
  t.match(await prepare({ from }), {
    error: {
      code: 'REQUEST_INVALID',
      message: 'the request is not JSON',
      hint: 'the format: /usr/share/doc/offline-update/plugins.md',
    },
  });
  t.match(await prepare({ from: '/srv/none.json' }), {
    error: {
      code: 'REQUEST_INVALID',
      hint: 'offline-update prepare --from FILE, or - for the standard input',
    },
  });
});
