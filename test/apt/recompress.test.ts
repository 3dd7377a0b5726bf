/** Packages made quick to unpack, with the machine's own apt and dpkg: real .debs out of dpkg-deb, compressed by xz. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { TRIGGER_TARGET } from '../../src/update/paths.js';
import type { PlanningResult } from '../fixtures/planning-driver.js';
import { nextStage, planningMachine, type PlanningMachine } from '../fixtures/planning-machine.js';
import { buildDeb, type DebSpec } from '../laboratory/deb-builder.js';
import { putRepository, rootImage, type Layer } from '../laboratory/laboratory.js';
import { debFromFile } from '../laboratory/repacked-packages.js';

const folder = t.testdir({});
const plain = await rootImage();
const withZstd = await rootImage({ packages: ['zstd'] });
const fast = { policy: { packageCompression: 'fast' } } as const;

function specOf(name: string): DebSpec {
  return {
    name,
    version: '2.0',
    files: {
      [`/usr/share/${name}/words`]: 'words that are there again and again\n'.repeat(20_000),
      [`/usr/share/${name}/with blanks and ž`]: 'short',
      [`/usr/bin/${name}`]: '#!/bin/sh\necho "$0"\n',
      [`/etc/${name}.conf`]: 'setting = 1\n',
    },
    links: { [`/usr/share/${name}/link`]: 'words' },
    conffiles: [`/etc/${name}.conf`],
    scripts: { postinst: 'echo configured' },
    sizeBytes: 200_000,
    control: { 'Installed-Size': '1200' },
  };
}

/** As Debian builds them. */
async function xzDeb(name: string) {
  const plainDeb = await buildDeb(join(folder, 'plain'), specOf(name));
  const tree = join(folder, name);
  execFileSync('dpkg-deb', ['--raw-extract', plainDeb, tree]);
  mkdirSync(join(folder, 'xz'), { recursive: true });
  const path = join(folder, 'xz', `${name}_2.0_all.deb`);
  execFileSync('dpkg-deb', ['-Zxz', '--root-owner-group', '--build', tree, path], { stdio: 'ignore' });
  return debFromFile(path);
}

const names = ['lab-xz-a', 'lab-xz-b', 'lab-xz-c'];
const debs = await Promise.all(names.map(xzDeb));

/** Served by HTTP, so that each download is seen. */
async function machineOn(t: Test, layer: Layer): Promise<PlanningMachine> {
  const made = await planningMachine(t, layer);
  await putRepository(made.machine, debs);
  await made.machine.run(
    "apt-get update; sed -i 's#copy:/srv/repository#http://127.0.0.1:8080#' /etc/apt/sources.list.d/*.sources",
  );
  return made;
}

/** Downloads need the network's own device, and the lists of that source. */
const online = { before: 'ip link set lo up', serve: {}, refresh: true, mode: 'packages' } as const;

function compressions({ plan, error }: PlanningResult): (string | undefined)[] {
  if (error) throw new Error(error.message);
  return plan?.changes.map(({ recompressed }) => recompressed?.compression) ?? [];
}

const install = `ln -s ${nextStage} ${TRIGGER_TARGET}
  apt-get -c ${TRIGGER_TARGET}/apt.conf -q -y install ${names.map((name) => `${name}:all=2.0`).join(' ')}`;
const differing = names
  .map(
    (name) => `dpkg-deb -x /srv/repository/pool/${name}_2.0_all.deb /tmp/signed
  dpkg --verify ${name}`,
  )
  .join('\n');

for (const [layer, compression] of [
  [withZstd, 'zstd'],
  [plain, 'none'],
] as const) {
  void t.test(`dpkg installs the very same out of recompressed packages: ${compression}`, async (t) => {
    const { prepare, machine } = await machineOn(t, layer);
    const prepared = await prepare({ ...online, ...fast, packages: names });
    t.strictSame(compressions(prepared), [compression, compression, compression]);
    t.strictSame(prepared.differences, [], 'apt agrees with their size');
    t.match(prepared.plan?.decidedBy, /^[0-9a-f]{64}$/);
    for (const { file, recompressed, sha256 } of prepared.plan?.changes ?? []) {
      t.equal(prepared.known[file ?? ''], recompressed?.sha256);
      t.equal(debs.filter((deb) => deb.sha256 === sha256).length, 1, 'the signed hash stays in the plan');
    }
    const index = await machine.read(
      `${nextStage}/lists/${
        Object.keys(prepared.files)
          .find((path) => path.endsWith('_Packages'))
          ?.replace('lists/', '') ?? ''
      }`,
    );
    for (const { recompressed } of prepared.plan?.changes ?? [])
      t.match(index, `Size: ${recompressed?.sizeBytes ?? 0}\nSHA256: ${recompressed?.sha256 ?? ''}\n`);

    await machine.run(install);
    const { stdout } = await machine.run(`${differing}
      cd /tmp/signed; find . -type f -exec sha256sum {} + >/tmp/sums; find . -type l >/tmp/links; cd /
      sha256sum --check --quiet /tmp/sums; while read -r link; do readlink "$link"; done </tmp/links
      wc -l </tmp/sums; dpkg --audit; dpkg-query -W -f '\${db:Status-Abbrev}' ${names.join(' ')}`);
    t.equal(stdout, 'words\nwords\nwords\n15\nii ii ii ');
    // what roll-forward does with them
    await machine.run(`dpkg --force-confold --install ${nextStage}/packages/*.deb`);
  });
}

void t.test(
  'what is recompressed is never downloaded twice, and given up when it is not wanted',
  async (t) => {
    const { prepare, machine } = await machineOn(t, withZstd);
    const again = { ...online, ...fast };
    const [a, b] = names.map((name) => `${nextStage}/packages/${name}_2.0_all.deb`);
    const first = await prepare({ ...again, packages: names.slice(0, 1) });
    t.strictSame(compressions(first), ['zstd']);
    const sums = await machine.run(`sha256sum ${a ?? ''}`);

    const more = await prepare({ ...again, packages: names.slice(0, 2) });
    t.strictSame(compressions(more), ['zstd', 'zstd']);
    t.strictSame(more.served, ['/pool/lab-xz-b_2.0_all.deb'], 'while apt downloads another, too');
    t.strictSame((await machine.run(`sha256sum ${a ?? ''}`)).stdout, sums.stdout);
    t.strictSame(
      Object.keys(more.files).filter((path) => path.startsWith('packages/')),
      ['packages/lab-xz-a_2.0_all.deb', 'packages/lab-xz-b_2.0_all.deb', 'packages/lock'],
    );

    await machine.run(
      `mv ${a ?? ''} ${a ?? ''}.aside; truncate --size ${debs[0]?.sizeBytes ?? 0} ${a ?? ''}`,
    );
    const back = await prepare({ ...again, packages: names.slice(0, 2) });
    t.strictSame(
      [compressions(back), back.served],
      [['zstd', 'zstd'], []],
      'put aside by a run that was killed',
    );

    await machine.run(`printf x | dd of=${b ?? ''} bs=1 seek=5000 conv=notrunc status=none`);
    const changed = await prepare({ ...again, packages: names.slice(0, 2) });
    t.strictSame(
      [compressions(changed), changed.served],
      [['zstd', 'zstd'], ['/pool/lab-xz-b_2.0_all.deb']],
      'one that was changed since is downloaded and proven once more',
    );

    const kept = await prepare({ ...online, packages: names.slice(0, 2) });
    t.strictSame(compressions(kept), [undefined, undefined]);
    t.strictSame(kept.served.sort(), ['/pool/lab-xz-a_2.0_all.deb', '/pool/lab-xz-b_2.0_all.deb']);
    t.notOk('recompressed.jsonl' in kept.files);
  },
);

void t.test('killed while it recompresses, it goes on with what is there', async (t) => {
  const { prepare, machine } = await machineOn(t, withZstd);
  await machine.write('/usr/local/bin/zstd', killer);
  await machine.run('chmod 755 /usr/local/bin/zstd; mkdir -p /var/lib/calls');
  await t.rejects(prepare({ ...online, ...fast, packages: names }), {
    message: /\nended with 255\n/, // how systemd-nspawn tells of a signal
  });
  t.ok(machine.exists('/var/lib/calls/killed'));
  const record = await machine.read(`${nextStage}/recompressed.jsonl`);
  const rows = record.split('\n').length - 1;
  t.ok(rows >= 1 && rows < names.length, `killed in the middle: ${rows}`);
  await machine.remove('/usr/local/bin/zstd');
  const resumed = await prepare({ ...online, ...fast, packages: names });
  t.strictSame([compressions(resumed), resumed.served], [['zstd', 'zstd', 'zstd'], []]);
  t.strictSame(
    Object.keys(resumed.files).filter((path) => /aside/.test(path)),
    [],
  );
  await machine.run(install);
});

/** Kills who started it, when it is to compress for the third time and something is done. */
const killer = `#!/bin/sh
[ "$1" != --version ] || exec /usr/bin/zstd "$@"
mkdir /var/lib/calls/1 2>/dev/null || mkdir /var/lib/calls/2 2>/dev/null || {
  until grep -q . ${nextStage}/recompressed.jsonl; do sleep 0.05; done
  mkdir /var/lib/calls/killed
  kill -KILL $PPID
}
exec /usr/bin/zstd "$@"
`;

void t.test('the files of a plugin are recompressed as well, and only after they were proven', async (t) => {
  const { prepare, machine } = await machineOn(t, withZstd);
  const [deb] = debs;
  if (!deb) throw new Error('no package');
  const one = { name: 'lab-xz-a', version: '2.0', architecture: 'all', file: deb.fileName };
  const request = (sha256: string): string =>
    JSON.stringify({
      format: 1,
      manager: 'apt',
      folder: '/srv/repository/pool',
      packages: [{ ...one, sha256 }],
    });
  const prepared = await prepare({ from: '-', stdin: request(deb.sha256), ...fast });
  t.strictSame(compressions(prepared), ['zstd']);
  t.strictSame(prepared.differences, []);
  const refused = await prepare({ from: '-', stdin: request('0'.repeat(64)), ...fast });
  t.match(refused.error, { code: 'HASH_MISMATCH' });
  const path = `/srv/repository/pool/${deb.fileName}`;
  await writeFile(machine.path(path), (await readFile(machine.path(path))).subarray(0, -2000));
  t.match((await prepare({ from: '-', stdin: request(deb.sha256), ...fast })).error, {
    code: 'HASH_MISMATCH',
  });
});
