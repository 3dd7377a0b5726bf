/** Who waits ahead of a soft-reboot. That it becomes the service of the update boot is shown in test/boot/ahead.test.ts. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { waitAhead } from '../../src/update-service/ahead.js';
import type { Ports } from '../../src/update-service/ports.js';
import { fileSystem } from '../../src/host/file-system.js';
import { pathsBelow } from '../../src/update/paths.js';
import { planHash, planText, type Plan } from '../../src/update/plan.js';
import { noSnapshots } from '../../src/snapshots/none.js';
import { emptyPlan } from '../fixtures/empty-plan.js';

interface Waiting {
  isCalled: Promise<boolean>;
  /** What stood in the file when systemd was told, with what words. */
  said: Promise<{ words: string; file: string }>;
  file: string;
}

/** `practised`: what the practising meets, beside the files. */
function waiting(t: Test, practised: object): Waiting {
  const paths = pathsBelow(t.testdir({ run: { 'offline-update': {} }, var: { lib: {} } }));
  let say: (said: { words: string; file: string }) => void = () => undefined;
  const said = new Promise<{ words: string; file: string }>((resolve) => (say = resolve));
  const ports = {
    fs: fileSystem,
    paths,
    ...practised,
    run(file: string, words: string[]) {
      say({ words: [file, ...words].join(' '), file: readFileSync(paths.ahead, 'utf8') });
      return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
    },
  };
  return { isCalled: waitAhead(ports as unknown as Ports, '/var/cache/made.blob'), said, file: paths.ahead };
}

const nothing = { store: { current: () => Promise.resolve(undefined) } };

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
  const { isCalled, said } = waiting(t, {
    store: { current: () => Promise.reject(new Error('the disk does not read')) },
  });
  await said;
  process.emit('SIGUSR2');
  t.equal(await isCalled, true);
});

void t.test('a stop does not wait for what the practising hangs on', async (t) => {
  const hangs = (): Promise<never> => new Promise(() => undefined);
  const disk = Object.fromEntries(Object.keys(fileSystem).map((act) => [act, hangs]));
  const { isCalled } = waiting(t, { store: { current: hangs }, fs: disk });
  process.emit('SIGTERM');
  t.equal(await isCalled, false);
});

/** Practises with a stage as it was sealed, but for `change`; what the look at the packages was given, a proven plan or none. */
async function practisedWith(t: Test, change: { plan?: Partial<Plan>; text?: string }): Promise<unknown[]> {
  const plan = emptyPlan(change.plan);
  const text = planText(plan);
  const given: unknown[] = [];
  const { stage } = pathsBelow(t.testdirName);
  const { isCalled, said } = waiting(t, {
    store: {
      current() {
        mkdirSync(stage, { mode: 0o700 });
        writeFileSync(`${stage}/plan.json`, change.text ?? text, { mode: 0o600 });
        return Promise.resolve({ journal: { state: { name: 'armed', planHash: planHash(text) } } });
      },
      readPlan: () => Promise.resolve(plan),
    },
    snapshots: noSnapshots,
    whySyncsStay: () => Promise.resolve(undefined),
    payload: {
      async preflight(proven: Promise<unknown>) {
        given.push(await proven.catch(() => 'nothing that is proven'));
      },
    },
  });
  await said;
  process.emit('SIGUSR2');
  await isCalled;
  return given;
}

void t.test('the check of a small stage is practised, and only with what is proven', async (t) => {
  t.strictSame(await practisedWith(t, {}), [emptyPlan().payload]);
});

void t.test('what is not as it was sealed is not used for practice either', async (t) => {
  t.strictSame(await practisedWith(t, { text: planText(emptyPlan({ id: 'another' })) }), [
    'nothing that is proven',
  ]);
});

void t.test('a large stage is not hashed for practice', async (t) => {
  const large = { path: 'packages/a.deb', sizeBytes: 17 * 1024 * 1024, sha256: 'aa' };
  t.strictSame(await practisedWith(t, { plan: { files: [large] } }), []);
});
