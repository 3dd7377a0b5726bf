/** The command starts from a snapshot of itself, where there is one that fits, and does the same without (docs/speed.md). */
import { copyFile } from 'node:fs/promises';
import t from 'tap';
import { asSnapshot, fittingSnapshot, warmStarts } from '../fixtures/warm-starts.js';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import { Machine, machineWithVersion1 } from '../laboratory/laboratory.js';

const layer = await machineWithVersion1(['lab-good'], { install: [packageUnderTest()] });
const machine = await Machine.on(layer);
t.teardown(() => machine.dispose());
await machine.start();
await machine.exec('offline-update prepare --no-refresh');

const snapshot = async (): Promise<string> => (await machine.exec(fittingSnapshot('offline-update'))).stdout;
const files = async (): Promise<string[]> =>
  (await machine.exec(`ls ${warmStarts}`)).stdout
    .split('\n')
    .filter((name) => name.startsWith('offline-update'))
    .map((name) => `${warmStarts}/${name}`);

/** In its place one of another program: what it says is said by whoever starts from it. */
async function markedSnapshot(): Promise<void> {
  await machine.write(
    '/srv/marked.js',
    "require('node:v8').startupSnapshot.setDeserializeMainFunction(() => { console.log('warm', ...process.argv.slice(2)); process.exitCode = 3; });\n",
  );
  await machine.exec('node --snapshot-blob /srv/marked.blob --build-snapshot /srv/marked.js');
  await machine.exec(asSnapshot('offline-update', '/srv/marked.blob'));
}

const remake = `rm -f ${warmStarts}/*; /usr/lib/offline-update/make-warm-start`;

void t.test('the package makes it, under the name of what it is made of', async (t) => {
  t.strictSame(await files(), [await snapshot()]);
});

void t.test('the same is said with it and without', async (t) => {
  const asked = ['status', 'status --json', 'history', 'history --json', 'report', 'report --json'];
  const wrong = ['log', 'log 20000101T000000-0000', 'report --html 1', 'status --wrong', 'history --help'];
  const acting = ['cancel', 'trigger --at never', 'prepare --no-refresh no-such-package', '--root srv clean'];
  const given = ['prepare --from - </usr/share/common-licenses/BSD', 'prepare --from missing.json --json'];
  for (const words of [...asked, ...wrong, ...acting, ...given]) {
    const says = async (line: string) => machine.exec(line, { check: false });
    const first = await says(`TZ=Asia/Tokyo offline-update ${words}`);
    const line = `TZ=Asia/Tokyo node /usr/lib/offline-update/offline-update.cjs ${words}`;
    t.strictSame(await says(line), first, words);
  }
});

void t.test('who starts from it, and who does not', async (t) => {
  await markedSnapshot();
  const said = async (line: string) => {
    const { stdout, exitCode } = await machine.exec(line, { check: false });
    return `${exitCode} ${stdout.split('\n')[0] ?? ''}`;
  };
  t.equal(
    await said('offline-update status --json'),
    '3 warm status --json',
    'with its words and its exit status',
  );
  t.equal(await said('offline-update report "a b"'), '3 warm report a b');
  t.equal(await said('offline-update prepare --full'), '3 warm prepare --full');
  t.equal(await said('offline-update --root / status'), '3 warm --root / status');
  t.equal(
    await said('runuser --user=nobody offline-update status'),
    '3 warm status',
    'whoever it is that asks',
  );
  t.match(await said('NODE_OPTIONS=--max-old-space-size=200 offline-update status'), /^0 State/);
  await machine.exec('touch /usr/lib/offline-update/offline-update.cjs');
  t.match(await said('offline-update status'), /^0 State/, 'the program was replaced');
  await machine.exec(remake);
  await markedSnapshot();
  await machine.exec('touch /usr/bin/node');
  t.match(await said('offline-update status'), /^0 State/, 'Node.js was replaced');
});

void t.test('it is one process: a signal to it reaches Node.js', async (t) => {
  await machine.exec(remake);
  const waits = 'sleep 100 | offline-update prepare --from - >/dev/null 2>&1 &';
  const isNode = 'until [ /proc/$!/exe -ef /usr/bin/node ]; do sleep 0.01; done';
  const how = 'tr "\\0" " " </proc/$!/cmdline; kill $!; pkill --exact sleep; wait $!; echo $?';
  const { stdout } = await machine.exec(`${waits} ${isNode}; ${how}`);
  t.match(stdout, /^\/usr\/bin\/node --snapshot-blob \S+ \S+ prepare --from - [1-9]\d*\n$/);
});

for (const [what, spoil] of [
  ['that was cut off', 'truncate --size=300000 "$made"'],
  [
    'with another byte',
    'printf xyz | dd of="$made" bs=1 seek=$(($(stat --format=%s "$made") / 2)) conv=notrunc status=none',
  ],
  ['of another processor', 'mv "$made" "${made%-*-*.blob}-1-${made##*-}"'],
] as const) {
  void t.test(`one ${what} is not used, and another one is made`, async (t) => {
    await machine.exec(remake);
    const made = await snapshot();
    await machine.exec(`made=${made}; ${spoil}`);
    t.equal(await snapshot(), '');
    const { stdout, stderr } = await machine.exec('offline-update status');
    t.match(stdout, /^State +prepared/);
    t.equal(stderr, '');
    await machine.exec('/usr/lib/offline-update/make-warm-start');
    t.strictSame(await files(), [await snapshot()]);
  });
}

void t.test('where what knows of snapshots is missing or damaged, everything is done', async (t) => {
  const file = '/usr/lib/offline-update/warm-start';
  await machine.exec(`mv ${file} /srv/warm-start`);
  for (const damage of ['true', `: >${file}`, `head --bytes=1000 /srv/warm-start >${file}`]) {
    await machine.exec(damage);
    const { stdout, stderr } = await machine.exec('offline-update status');
    t.match(stdout, /^State +prepared/, damage);
    t.equal(stderr, '');
  }
  await machine.exec(`mv /srv/warm-start ${file}`);
});

void t.test('without a sum over its bytes none fits, and none is made', async (t) => {
  await machine.exec('mv /usr/bin/cksum /srv/cksum');
  t.equal(await snapshot(), '');
  await machine.exec(remake, { check: false });
  t.strictSame(await files(), []);
  await machine.exec(`mv /srv/cksum /usr/bin/cksum; ${remake}`);
  t.strictSame(await files(), [await snapshot()]);
});

void t.test('none is made of a script that starts another Node.js', async (t) => {
  await machine.exec(
    'mv /usr/bin/node /srv/node; printf "#!/bin/sh\\nexec /srv/node \\"\\$@\\"\\n" >/usr/bin/node',
  );
  await machine.exec(`chmod +x /usr/bin/node; ${remake}`);
  t.strictSame(await files(), []);
  t.match((await machine.exec('offline-update status')).stdout, /^State/);
  await machine.exec(`mv /srv/node /usr/bin/node; ${remake}`);
  t.strictSame(await files(), [await snapshot()]);
});

void t.test('another Node.js: dpkg’s trigger makes another one', async (t) => {
  await machine.exec(`rm ${warmStarts}/*; dpkg-trigger --by-package=nodejs /usr/bin/node`);
  await machine.exec('dpkg --triggers-only offline-update');
  t.strictSame(await files(), [await snapshot()]);
});

void t.test('where it cannot be made, the package is installed all the same', async (t) => {
  await copyFile(packageUnderTest(), machine.path('/srv/offline-update.deb'));
  await machine.exec('rm -r /var/cache/offline-update; ln -s /proc/1 /var/cache/offline-update');
  await machine.exec('dpkg --install /srv/offline-update.deb');
  t.match((await machine.exec('offline-update status')).stdout, /^State/);
  await machine.exec('rm /var/cache/offline-update; dpkg --remove offline-update');
  t.notOk(machine.exists('/var/cache/offline-update'));
});
