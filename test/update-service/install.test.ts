import t from 'tap';
import type { InstallOptions, Progress, ProgressEvent } from '../../src/payloads/payload.js';
import type { Fallback } from '../../src/snapshots/snapshot-provider.js';
import { UpdateError } from '../../src/update/errors.js';
import { defaultPolicy } from '../../src/update/policy.js';
import { pathsBelow } from '../../src/update/paths.js';
import type { Attempt } from '../../src/update-service/attempt.js';
import { heal, install, rollForward } from '../../src/update-service/install.js';

/** How the package manager is run in an attempt with this way back. */
async function optionsWith(fallback?: Fallback): Promise<{ installed: boolean; rolledForward: boolean }> {
  const seen: InstallOptions[] = [];
  const run = (...[, , , options]: [unknown, unknown, unknown, InstallOptions]): Promise<void> => {
    seen.push(options);
    return Promise.resolve();
  };
  const attempt = {
    fallback,
    plan: { policy: { ...defaultPolicy, packageSyncs: 'keep' }, payload: {} },
    ports: { paths: pathsBelow('/'), payload: { install: run, heal: run } },
    progress: { on: () => undefined },
    update: { paths: { terminalLog: '/term.log' }, journal: { append: () => Promise.resolve() } },
  } as unknown as Attempt;
  await install(attempt);
  await rollForward(attempt);
  const [installed, rolledForward] = seen.map(({ revertible }) => revertible);
  return { installed: installed === true, rolledForward: rolledForward === true };
}

void t.test(
  'an install is hurried only where the old root boots untouched, and a repair never is',
  async (t) => {
    const btrfs = { provider: 'btrfs', reference: '@' };
    t.strictSame(await optionsWith(), { installed: false, rolledForward: false });
    t.strictSame(await optionsWith(btrfs), { installed: true, rolledForward: false });
    t.strictSame(await optionsWith({ ...btrfs, inPlace: '/boot' }), {
      installed: false,
      rolledForward: false,
    });
  },
);

/** At which of these events logind is woken, and Node.js looked at. */
async function lookedAheadAt(
  events: readonly ProgressEvent[],
): Promise<{ woken: ProgressEvent[]; node: ProgressEvent[] }> {
  const woken: ProgressEvent[] = [];
  const node: ProgressEvent[] = [];
  let current: ProgressEvent | undefined;
  const run = (...[, , on]: [unknown, unknown, Progress]): Promise<void> => {
    for (current of events) on(current);
    return Promise.resolve();
  };
  const noteIn = (list: ProgressEvent[]) => (): Promise<undefined> => {
    if (current) list.push(current);
    return Promise.resolve(undefined);
  };
  const [wakeLogin, whyNodeFails] = [noteIn(woken), noteIn(node)];
  const attempt = {
    plan: { policy: defaultPolicy, payload: {} },
    ports: { paths: pathsBelow('/'), payload: { install: run }, wakeLogin, whyNodeFails },
    progress: { on: () => undefined },
    update: { paths: { terminalLog: '/term.log' }, journal: { append: () => Promise.resolve() } },
  } as unknown as Attempt;
  await install(attempt);
  return { woken, node };
}

void t.test('when little is left to install, logind is woken and Node.js looked at, once', async (t) => {
  const at = (percent: number, itemsDone: number, itemsTotal: number): ProgressEvent => ({
    percent,
    itemsDone,
    itemsTotal,
    text: '',
  });
  const nearly = [at(90, 10, 1000), at(0, 0, 1), at(0, 92, 100), { percent: 95, text: '' }];
  const before = [at(0, 0, 100), at(89, 91, 100), { percent: 89, text: '' }];
  t.strictSame(await lookedAheadAt([...before, ...nearly]), { woken: nearly, node: nearly.slice(0, 1) });
  t.strictSame((await lookedAheadAt([at(0, 0, 1)])).node, [], 'nothing is replaced yet');
});

void t.test('a failed install is told in a line while the packages are made whole', async (t) => {
  const said: string[] = [];
  const attempt = {
    plan: { policy: defaultPolicy, payload: {} },
    ports: { paths: pathsBelow('/'), payload: { heal: () => Promise.resolve() } },
    progress: { on: () => undefined, say: (text: string) => said.push(text) },
    update: { paths: { terminalLog: '/term.log' }, journal: { append: () => Promise.resolve() } },
  } as unknown as Attempt;
  await heal(
    attempt,
    new UpdateError('INSTALL_FAILED', 'apt-get failed (100)\nThe last lines:\ndpkg: error'),
  );
  t.strictSame(said, ['apt-get failed (100); making the packages whole']);
});
