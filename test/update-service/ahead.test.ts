/** Who waits ahead of the claim. That it becomes the service of the update boot is shown in test/boot/ahead.test.ts. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { waitAhead } from '../../src/update-service/ahead.js';
import type { Ports } from '../../src/update-service/ports.js';
import { fileSystem } from '../../src/host/file-system.js';
import { pathsBelow } from '../../src/update/paths.js';

interface Waiting {
  isCalled: Promise<boolean>;
  /** What stands in the file once it waits. */
  said: Promise<string>;
  file: string;
}

/** `current`: the first that is practised, whether an update can be read. */
function waiting(t: Test, current: () => Promise<undefined>): Waiting {
  const paths = pathsBelow(t.testdir({ run: { 'offline-update': {} } }));
  const ports = { fs: fileSystem, paths, store: { current } };
  const isCalled = waitAhead(ports as unknown as Ports, '/var/cache/made.blob');
  const said = (async () => {
    while (!existsSync(paths.ahead)) await setTimeout(5);
    return readFileSync(paths.ahead, 'utf8');
  })();
  return { isCalled, said, file: paths.ahead };
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

void t.test('who is called goes on, and leaves nothing of the waiting behind', async (t) => {
  const { isCalled, said, file } = waiting(t, nothing);
  t.equal(await said, `${process.pid} /var/cache/made.blob\n`);
  process.emit('SIGUSR2');
  t.equal(await isCalled, true);
  t.notOk(existsSync(file), 'which says that it has heard');
});

void t.test('who is told to end does so', async (t) => {
  const { isCalled, said, file } = waiting(t, nothing);
  await said;
  process.emit('SIGTERM');
  t.equal(await isCalled, false);
  t.notOk(existsSync(file));
  process.removeAllListeners('SIGUSR2');
});

const hangs = (): Promise<undefined> => new Promise(() => undefined);
const fails = (): Promise<undefined> => Promise.reject(new Error('the disk does not read'));

for (const [what, current] of [
  ['fails', fails],
  ['hangs', hangs],
] as const) {
  void t.test(`whoever calls does not wait for a practice that ${what}`, async (t) => {
    const { isCalled, said } = waiting(t, current);
    await said;
    process.emit('SIGUSR2');
    t.equal(await isCalled, true);
  });
}

void t.test('a stop does not wait for a practice that hangs', async (t) => {
  const { isCalled, said, file } = waiting(t, hangs);
  await said;
  process.emit('SIGTERM');
  t.equal(await isCalled, false);
  t.notOk(existsSync(file));
  process.removeAllListeners('SIGUSR2');
});
