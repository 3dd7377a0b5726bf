/** Package files recompressed, by the real dpkg-deb; zstd where it is installed. */
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fileSystem } from '../../../../src/host/file-system.js';
import { runCommand } from '../../../../src/host/command.js';
import { HostError } from '../../../../src/host/host-error.js';
import { lowPriorityPipe } from '../../../../src/host/low-priority-pipe.js';
import {
  keepRecompressed,
  readRecompressed,
} from '../../../../src/payloads/packages/apt/recompressed-record.js';
import {
  recompressPackages,
  type RecompressPorts,
} from '../../../../src/payloads/packages/apt/recompress.js';
import type { PackageChange, PackagesPlan } from '../../../../src/update/plan.js';
import { debOf, type DebSpec } from '../../../laboratory/deb-builder.js';
import { packagesPlan } from '../../../fixtures/packages-plan.js';

const MEBIBYTE = 1024 * 1024;
const text = 'the same words over and over again; '.repeat(10_000);
const spec = (name: string, more: Partial<DebSpec> = {}): DebSpec => ({
  name,
  version: '2.0',
  compression: 'gzip',
  files: { '/usr/share/lab/text': text, '/etc/lab.conf': 'setting\n' },
  conffiles: ['/etc/lab.conf'],
  scripts: { postinst: 'true' },
  sizeBytes: 100_000,
  ...more,
});

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const read = (part: string, path: string): string =>
  sha256Of(execFileSync('dpkg-deb', [part, path], { maxBuffer: 1e9 }));

const without = (program: string): RecompressPorts['runCommand'] => {
  return (file, ...rest) =>
    file === program
      ? Promise.reject(new HostError('COMMAND_NOT_FOUND', `${file} is not here`))
      : runCommand(file, ...rest);
};

interface Stage {
  stage: { path: string };
  plan: PackagesPlan;
  signed: Map<string, Buffer>;
  known: Map<string, Promise<string>>;
  names: () => string[];
  recompress: (ports?: Partial<RecompressPorts>, signal?: AbortSignal) => Promise<PackagesPlan>;
}

function staged(t: Test, specs: readonly DebSpec[], change: Partial<PackageChange> = {}): Stage {
  const stage = { path: t.testdir({ packages: {} }) };
  const signed = new Map<string, Buffer>();
  const changes = specs.map((one): PackageChange => {
    const { content, fileName, sizeBytes, sha256 } = debOf(one);
    const file = `packages/${fileName}`;
    writeFileSync(join(stage.path, file), content);
    signed.set(one.name, content);
    const of = { name: one.name, architecture: 'all', action: 'upgrade', from: '1.0', to: '2.0' } as const;
    return { ...of, automatic: false, file, sizeBytes, sha256, ...change };
  });
  const plan: PackagesPlan = packagesPlan(changes);
  const known = new Map<string, Promise<string>>();
  return {
    stage,
    plan,
    signed,
    known,
    names: () => readdirSync(join(stage.path, 'packages')).sort(),
    recompress: async (ports = {}, signal) => {
      const real: RecompressPorts = {
        files: fileSystem,
        runCommand: without('zstd'),
        pipe: lowPriorityPipe,
        freeSpace: () => Promise.resolve({ bytes: 100 * 1024 * MEBIBYTE }),
        processors: 2,
      };
      const facts = { known, installedBytes: () => 1024, on: () => undefined, signal };
      await recompressPackages({ ...real, ...ports }, plan, stage, facts);
      return plan;
    },
  };
}

const withoutZstd = await runCommand('zstd', ['--version']).then(
  () => false,
  () => 'zstd is not installed here',
);

for (const compression of ['none', 'zstd'] as const) {
  const skip = compression === 'zstd' && withoutZstd;
  void t.test(`the same package in another form: ${compression}`, { skip }, async (t) => {
    const { stage, signed, recompress, known, names } = staged(t, [spec('lab-a'), spec('lab-b')]);
    const { changes, notRecompressed } = await recompress(compression === 'zstd' ? { runCommand } : {});
    t.equal(notRecompressed, undefined);
    t.strictSame(names(), ['lab-a_2.0_all.deb', 'lab-b_2.0_all.deb']);
    const record = await readRecompressed(fileSystem, stage);
    for (const { name, file, recompressed, sha256, sizeBytes } of changes) {
      if (file === null) throw new Error('no file');
      const path = join(stage.path, file);
      const made = readFileSync(path);
      const old = join(stage.path, `${name}.old`);
      const before = signed.get(name) ?? Buffer.alloc(0);
      writeFileSync(old, before);
      t.strictSame(recompressed, { compression, sizeBytes: made.length, sha256: sha256Of(made) });
      t.strictSame([sha256, sizeBytes], [sha256Of(before), before.length], 'the signed ones are kept');
      t.notOk(made.equals(before));
      const control = before.indexOf('data.tar');
      t.ok(made.subarray(0, control).equals(before.subarray(0, control)), 'all before it is as it was');
      for (const part of ['--fsys-tarfile', '--ctrl-tarfile', '--contents'])
        t.equal(read(part, path), read(part, old), part);
      t.match(execFileSync('dpkg-deb', ['--info', path], { encoding: 'utf8' }), `Package: ${name}`);
      t.equal(await known.get(file), sha256Of(made), 'the seal need not hash it again');
      t.strictSame(record.find({ file, sha256 }, sha256Of(made)), recompressed);
      t.equal(record.find({ file, sha256: '0'.repeat(64) }, sha256Of(made)), undefined, 'of no other');
    }
  });
}

void t.test('what is not as it was signed is not touched, and left to the seal', async (t) => {
  const { signed, recompress, stage } = staged(t, [spec('lab-a')], { sha256: '0'.repeat(64) });
  let piped = 0;
  const pipe: RecompressPorts['pipe'] = (words) => {
    piped += 1;
    return lowPriorityPipe(words);
  };
  const { changes, notRecompressed } = await recompress({ pipe });
  t.strictSame([changes[0]?.recompressed, notRecompressed, piped], [undefined, undefined, 0]);
  t.equal(
    sha256Of(readFileSync(join(stage.path, changes[0]?.file ?? ''))),
    sha256Of(signed.get('lab-a') ?? Buffer.alloc(0)),
  );
});

void t.test('where there is nothing to gain nothing is done, and nothing told', async (t) => {
  const uncompressed = { ...spec('lab-plain') };
  delete uncompressed.compression;
  const small = spec('lab-small', { sizeBytes: 10 });
  const { recompress } = staged(t, [uncompressed, small]);
  const pipe = () => Promise.reject(new Error('was asked'));
  const { changes, notRecompressed } = await recompress({ pipe });
  t.strictSame([changes.filter((one) => one.recompressed), notRecompressed], [[], undefined]);
});

void t.test(
  'whatever goes wrong, the signed file stays, nothing is left beside it, and why is told',
  async (t) => {
    let asked = 0;
    const otherContent: RecompressPorts['pipe'] = async (words) => {
      asked += 1;
      const piped = await lowPriorityPipe(words);
      return words.into === undefined ? { ...piped, sha256: '0'.repeat(64) } : piped;
    };
    const bomb = spec('lab-a', { files: { '/usr/share/lab/zeros': '0'.repeat(20 * MEBIBYTE) } });
    const cases: [what: string, because: string | RegExp, ports: Partial<RecompressPorts>, spec?: DebSpec][] =
      [
        [
          'a full disk',
          /ENOSPC/,
          { pipe: () => Promise.reject(new Error('ENOSPC: no space left on device')) },
        ],
        ['another content', 'dpkg-deb did not read the same out of it', { pipe: otherContent }],
        [
          'no room',
          'the disk has no room for it beside what the update needs',
          { freeSpace: () => Promise.resolve({ bytes: 512 * MEBIBYTE }) },
        ],
        [
          'nobody knows the room',
          'Error: statfs failed',
          { freeSpace: () => Promise.reject(new Error('statfs failed')) },
        ],
        ['more than it says', 'it unpacks to far more than it says (Installed-Size)', {}, bomb],
      ];
    for (const [what, because, ports, one = spec('lab-a')] of cases) {
      const { signed, recompress, stage, known, names } = staged(t, [one]);
      const { changes, notRecompressed } = await recompress(ports);
      t.match(notRecompressed, [{ because, packages: ['lab-a'] }], what);
      t.equal(changes[0]?.recompressed, undefined, what);
      t.strictSame(names(), ['lab-a_2.0_all.deb'], what);
      const content = signed.get('lab-a') ?? Buffer.alloc(0);
      t.ok(readFileSync(join(stage.path, 'packages/lab-a_2.0_all.deb')).equals(content), what);
      t.equal(await known.get('packages/lab-a_2.0_all.deb'), sha256Of(content), what);
    }
    t.equal(asked, 2);
  },
);

void t.test('given up: no program is started any more, and what is done stays', async (t) => {
  const { recompress, plan, stage, names } = staged(
    t,
    Array.from({ length: 10 }, (_, at) => spec(`lab-${at}`)),
  );
  const givenUp = new AbortController();
  let started = 0;
  // the fourth: one file is done by two programs
  const pipe: RecompressPorts['pipe'] = async (words) => {
    started += 1;
    if (started < 4) return lowPriorityPipe(words);
    givenUp.abort();
    throw new HostError('COMMAND_FAILED', 'dpkg-deb: ended by SIGTERM');
  };
  await t.rejects(recompress({ pipe, processors: 1 }, givenUp.signal), { name: 'AbortError' });
  t.equal(started, 4);
  t.strictSame(
    names().filter((name) => !name.endsWith('.deb')),
    [],
    'nothing half done is left',
  );
  const done = plan.changes.filter(({ recompressed }) => recompressed);
  t.equal(done.length, 1);
  const record = await readRecompressed(fileSystem, stage);
  for (const { file, recompressed } of done)
    t.strictSame(record.sizes(file ?? ''), [recompressed?.sizeBytes], 'the next run takes it over');

  const between = staged(t, [spec('lab-a')]);
  const late = new AbortController();
  let programs = 0;
  const then: RecompressPorts['pipe'] = (words) => {
    programs += 1;
    return lowPriorityPipe(words).finally(() => {
      late.abort();
    });
  };
  await t.rejects(between.recompress({ pipe: then }, late.signal), { name: 'AbortError' });
  t.strictSame([programs, between.names()], [1, ['lab-a_2.0_all.deb']], 'nor for the proof of a file');
});

void t.test('a broken zstd costs nothing but its time', async (t) => {
  const { signed, recompress, stage, names } = staged(t, [spec('lab-a')]);
  const answer = { exitCode: 0, signal: undefined, stdout: 'zstd', stderr: '' };
  const pipe: RecompressPorts['pipe'] = (words) =>
    lowPriorityPipe(words.through ? { ...words, through: ['sh', '-c', 'head -c 1000; exit 1'] } : words);
  const { notRecompressed } = await recompress({ pipe, runCommand: () => Promise.resolve(answer) });
  t.match(notRecompressed, [{ because: 'sh: exit code 1', packages: ['lab-a'] }]);
  t.strictSame(names(), ['lab-a_2.0_all.deb']);
  t.ok(
    readFileSync(join(stage.path, 'packages/lab-a_2.0_all.deb')).equals(
      signed.get('lab-a') ?? Buffer.alloc(0),
    ),
  );
});

void t.test('zstd only where both the program and dpkg know it, and dpkg stays as new', async (t) => {
  const knows = { exitCode: 0, signal: undefined, stdout: 'zstd', stderr: '' };
  const silent = { ...knows, stdout: '' };
  const compressionOf = async (answers: Record<string, typeof knows>, more: PackageChange[] = []) => {
    const { plan, recompress } = staged(t, [spec('lab-a')]);
    plan.changes.push(...more);
    const seen: string[] = [];
    const pipe: RecompressPorts['pipe'] = ({ through }) => {
      seen.push(through?.[0] ?? 'none');
      return Promise.reject(new Error('seen'));
    };
    await recompress({ pipe, runCommand: (file) => Promise.resolve(answers[file] ?? silent) });
    return seen[0];
  };
  t.equal(await compressionOf({ zstd: knows, 'dpkg-deb': knows }), 'zstd');
  t.equal(await compressionOf({ zstd: knows }), 'none');
  t.equal(await compressionOf({ 'dpkg-deb': knows }), 'none');
  const downgrade: PackageChange = {
    name: 'dpkg',
    architecture: 'amd64',
    action: 'downgrade',
    from: '2',
    to: '1',
    automatic: false,
    file: null,
    sizeBytes: 0,
    sha256: null,
  };
  t.equal(await compressionOf({ zstd: knows, 'dpkg-deb': knows }, [downgrade]), 'none');
});

void t.test('several at once promise each other no room', async (t) => {
  const specs = ['lab-a', 'lab-b', 'lab-c'].map((name) => spec(name));
  const { recompress, plan } = staged(t, specs);
  const packed = plan.changes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const limit = 16 * MEBIBYTE + 2048;
  const freeSpace = () => Promise.resolve({ bytes: 512 * MEBIBYTE + 8 * packed + 1.5 * limit });
  const { notRecompressed } = await recompress({ freeSpace, processors: 3 });
  t.equal(notRecompressed?.[0]?.packages.length, 2);
});

void t.test(
  'the record: torn and foreign lines have no effect, and only what is planned stays',
  async (t) => {
    const { recompress, plan, stage } = staged(t, [spec('lab-a')]);
    await recompress();
    const path = join(stage.path, 'recompressed.jsonl');
    const [row = ''] = readFileSync(path, 'utf8').split('\n');
    writeFileSync(
      path,
      `\n{"file":1}\nnonsense\n${row.replace('lab-a', 'lab-gone')}\n${row}\n${row.slice(0, 50)}`,
    );
    const record = await readRecompressed(fileSystem, stage);
    const [change] = plan.changes;
    if (!change?.recompressed) throw new Error('not recompressed');
    t.strictSame(record.find(change, change.recompressed.sha256), change.recompressed);
    t.strictSame(record.sizes(change.file ?? ''), [change.recompressed.sizeBytes]);
    await keepRecompressed(fileSystem, stage, plan.changes);
    t.equal(readFileSync(path, 'utf8'), `${row}\n`);
    await keepRecompressed(fileSystem, stage, []);
    t.strictSame(readdirSync(stage.path), ['packages']);
  },
);
