/** What only tells starts from a snapshot of itself, where there is one that fits, and says the same without (docs/speed.md). */
import { copyFile } from 'node:fs/promises';
import t from 'tap';
import { packageUnderTest } from '../fixtures/package-under-test.js';
import { Machine, machineWithVersion1 } from '../laboratory/laboratory.js';

const layer = await machineWithVersion1(['lab-good'], { install: [packageUnderTest()] });
const machine = await Machine.on(layer);
t.teardown(() => machine.dispose());
await machine.start();
await machine.exec('offline-update prepare --no-refresh');

const named = '. /usr/lib/offline-update/warm-start; warm_start telling';
const snapshot = async (): Promise<string> => (await machine.exec(named)).stdout;
const files = async (): Promise<string[]> =>
  (await machine.exec('ls /var/cache/offline-update')).stdout
    .split('\n')
    .filter((name) => name.startsWith('telling'));

/** In its place one of another program: what it says is said by whoever starts from it. */
async function markedSnapshot(flags = ''): Promise<void> {
  await machine.write(
    '/srv/marked.js',
    "require('node:v8').startupSnapshot.setDeserializeMainFunction(() => { console.log('warm', ...process.argv.slice(2)); process.exitCode = 3; });\n",
  );
  const made = await snapshot();
  await machine.exec(`node ${flags} --snapshot-blob ${made} --build-snapshot /srv/marked.js`);
}

const remake = 'rm -f /var/cache/offline-update/*; /usr/lib/offline-update/make-warm-start';

void t.test('the package makes it, under the name of what it is made of', async (t) => {
  t.strictSame(
    (await files()).map((name) => `/var/cache/offline-update/${name}`),
    [await snapshot()],
  );
});

void t.test('the same is said with it and without', async (t) => {
  const asked = ['status', 'status --json', 'history', 'history --json', 'report', 'report --json'];
  const wrong = ['log', 'log 20000101T000000-0000', 'report --html 1', 'status --wrong', 'history --help'];
  for (const words of [...asked, ...wrong]) {
    const says = async (line: string) => machine.exec(line, { check: false });
    const first = await says(`TZ=Asia/Tokyo offline-update ${words}`);
    for (const program of ['telling', 'offline-update']) {
      const line = `TZ=Asia/Tokyo node /usr/lib/offline-update/${program}.cjs ${words}`;
      t.strictSame(await says(line), first, `${words}, ${program}`);
    }
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
  t.match(
    await said('offline-update status --verify'),
    /^0 State/,
    'a long one: a signal to it reaches Node.js',
  );
  t.match(await said('offline-update status --follow'), /^0 State/, 'a signal to it reaches Node.js');
  t.match(await said('NODE_OPTIONS=--max-old-space-size=200 offline-update status'), /^0 State/);
  t.match(await said('offline-update --root / status'), /^0 State/);
  t.match(await said('offline-update doctor'), /^\d (?!warm)/);
  await machine.exec('touch /usr/lib/offline-update/telling.cjs');
  t.match(await said('offline-update status'), /^0 State/, 'the program was replaced');
  await machine.exec(remake);
  await markedSnapshot();
  await machine.exec('touch /usr/bin/node');
  t.match(await said('offline-update status'), /^0 State/, 'Node.js was replaced');
});

for (const [what, spoil] of [
  ['of another V8', () => markedSnapshot('--max-lazy')],
  [
    'that was cut off',
    async () => {
      await markedSnapshot();
      await machine.exec(`truncate --size=300000 ${await snapshot()}`);
    },
  ],
  [
    'with another byte',
    async () => {
      const half = `$(($(stat --format=%s "$made") / 2))`;
      await machine.exec(
        `made=${await snapshot()}; printf xyz | dd of="$made" bs=1 seek=${half} conv=notrunc status=none`,
      );
    },
  ],
  [
    'that is empty',
    async () => {
      await machine.exec(`: >${await snapshot()}`);
    },
  ],
] as const) {
  void t.test(`one ${what} keeps nothing from being told, and is taken away`, async (t) => {
    await machine.exec(remake);
    await spoil();
    const { stdout, exitCode } = await machine.exec('offline-update status', { check: false });
    t.match(`${exitCode} ${stdout}`, /^0 State +prepared/);
    t.strictSame(await files(), []);
    const again = await machine.exec('offline-update status');
    t.equal(again.stderr, '', 'said once');
  });
}

void t.test('another Node.js: dpkg’s trigger makes another one', async (t) => {
  await machine.exec(`rm /var/cache/offline-update/*; dpkg-trigger --by-package=nodejs /usr/bin/node`);
  await machine.exec('dpkg --triggers-only offline-update');
  t.strictSame(
    (await files()).map((name) => `/var/cache/offline-update/${name}`),
    [await snapshot()],
  );
});

void t.test('where it cannot be made, the package is installed all the same', async (t) => {
  await copyFile(packageUnderTest(), machine.path('/srv/offline-update.deb'));
  await machine.exec('rm -r /var/cache/offline-update; ln -s /proc/1 /var/cache/offline-update');
  await machine.exec('dpkg --install /srv/offline-update.deb');
  t.match((await machine.exec('offline-update status')).stdout, /^State/);
  await machine.exec('rm /var/cache/offline-update; dpkg --remove offline-update');
  t.notOk(machine.exists('/var/cache/offline-update'));
});
