/** Who waits ahead of a soft-reboot. That it becomes the service of the update boot is shown in test/boot/ahead.test.ts. */
import { existsSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { waitAhead } from '../../src/update-service/ahead.js';
import type { Ports } from '../../src/update-service/ports.js';
import { fileSystem } from '../../src/host/file-system.js';
import { pathsBelow } from '../../src/update/paths.js';

interface Waiting {
  isCalled: Promise<boolean>;
  /** What stood in the file when systemd was told, with what words. */
  said: Promise<{ words: string; file: string }>;
  file: string;
}

/** `current`: whether an update can be read. */
function waiting(t: Test, current: () => Promise<undefined>): Waiting {
  const paths = pathsBelow(t.testdir({ run: { 'offline-update': {} } }));
  let say: (said: { words: string; file: string }) => void = () => undefined;
  const said = new Promise<{ words: string; file: string }>((resolve) => (say = resolve));
  const ports = {
    fs: fileSystem,
    paths,
    store: { current },
    run(file: string, words: string[]) {
      say({ words: [file, ...words].join(' '), file: readFileSync(paths.ahead, 'utf8') });
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    },
  };
  return { isCalled: waitAhead(ports as unknown as Ports, '/var/cache/made.blob'), said, file: paths.ahead };
}

const nothing = (): Promise<undefined> => Promise.resolve(undefined);

void t.test('who is called goes on, and leaves nothing of the waiting behind', async (t) => {
  process.env['NOTIFY_SOCKET'] = '/run/systemd/notify';
  const { isCalled, said, file } = waiting(t, nothing);
  t.strictSame(await said, {
    words: 'systemd-notify --ready',
    file: `${process.pid} /var/cache/made.blob\n`,
  });
  process.emit('SIGUSR2');
  t.equal(await isCalled, true);
  t.notOk(existsSync(file), 'which says that it has heard');
  t.notOk('NOTIFY_SOCKET' in process.env, 'maintainer scripts tell systemd nothing of the service');
});

void t.test('who is told to end does so', async (t) => {
  const { isCalled, said, file } = waiting(t, nothing);
  await said;
  process.emit('SIGTERM');
  t.equal(await isCalled, false);
  t.notOk(existsSync(file));
  process.removeAllListeners('SIGUSR2');
});

void t.test('what cannot be practised is left to the update boot', async (t) => {
  const { isCalled, said } = waiting(t, () => Promise.reject(new Error('the disk does not read')));
  await said;
  process.emit('SIGUSR2');
  t.equal(await isCalled, true);
});

void t.test('a stop does not wait for what the practising hangs on', async (t) => {
  const { isCalled, said, file } = waiting(t, () => new Promise(() => undefined));
  process.emit('SIGTERM');
  await said;
  t.equal(await isCalled, false);
  t.notOk(existsSync(file));
  process.removeAllListeners('SIGUSR2');
});
