import { existsSync, lstatSync, rmSync } from 'node:fs';
import t from 'tap';
import { takeLock } from '../../src/host/lock.js';
import type { UpdateEvent } from '../../src/update/events.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

interface Test {
  testdir(): string;
}

async function prepared(test: Test, ...words: string[]): Promise<OnlineMachine & { id: string }> {
  const machine = newOnlineMachine(test);
  const { id } = (await machine.cli('prepare', '--json')).json() as { id: string };
  for (const word of words) await machine.cli(word);
  return Object.assign(machine, { id });
}

const changed = 'packages were installed, removed, held or released since the update was prepared';
const status = async (machine: OnlineMachine) => (await machine.cli('status', '--json')).json();
const isThere = (machine: OnlineMachine, path: string) =>
  lstatSync(machine.path(path), { throwIfNoEntry: false }) !== undefined;

void t.test('as long as the packages are the same nothing becomes stale', async (t) => {
  const machine = newOnlineMachine(t);
  t.equal((await machine.cli('stale')).stdout, 'Nothing became stale.\n', 'with nothing prepared');
  await machine.cli('prepare');
  t.strictSame((await machine.cli('stale', '--json')).json(), { stale: null });
  await machine.cli('trigger');
  t.strictSame((await machine.cli('stale', '--json')).json(), { stale: null });
  t.match(await status(machine), { state: 'armed', contradictions: [] });
});

void t.test('a prepared update becomes stale, once', async (t) => {
  const machine = await prepared(t);
  machine.payload.fingerprint = 'b'.repeat(64);
  t.equal(
    (await machine.cli('stale')).stdout,
    `Update ${machine.id} is stale: ${changed}.\nNext: offline-update status\n`,
  );
  t.match(await status(machine), { state: 'stale', reason: { code: 'DRIFT', message: changed } });
  t.equal((await machine.cli('stale')).stdout, 'Nothing became stale.\n');
  t.equal((await machine.cli('trigger')).exitCode, 5);
});

void t.test('an armed update is disarmed and stale, and can be prepared again', async (t) => {
  const machine = await prepared(t, 'trigger');
  machine.payload.fingerprint = 'b'.repeat(64);
  t.equal((await machine.cli('stale')).exitCode, 0);
  t.match(await status(machine), {
    state: 'stale',
    reason: { code: 'DRIFT', message: `${changed}; it is no longer armed` },
    contradictions: [],
    next: 'offline-update prepare',
  });
  for (const path of ['/system-update', '/var/lib/offline-update/open', '/var/lib/offline-update/action'])
    t.notOk(isThere(machine, path), path);
  t.equal((await machine.cli('prepare')).exitCode, 0);
  t.equal((await machine.cli('trigger')).exitCode, 0);
});

void t.test(
  'where the shell has taken the trigger away it is stale, whatever the packages are by now',
  async (t) => {
    const machine = await prepared(t, 'trigger');
    rmSync(machine.path('/system-update'));
    machine.write('/var/lib/offline-update/rescued', 'boot-1 packages-changed\n');
    await machine.cli('stale');
    t.match(await status(machine), { state: 'stale', contradictions: [] });
    t.notOk(existsSync(machine.path('/var/lib/offline-update/rescued')), 'nothing is left for the next boot');
  },
);

const attempts: [what: string, ...events: UpdateEvent[]][] = [
  ['one that is claimed', { event: 'claimed', attempt: 1 }],
  [
    'one that is being installed',
    { event: 'claimed', attempt: 1 },
    { event: 'installing', attempt: 1, fallback: null },
  ],
];
for (const [what, ...events] of attempts) {
  void t.test(`${what} is not judged`, async (t) => {
    const machine = await prepared(t, 'trigger');
    const { journal } = await machine.ports.online.store.find(machine.id);
    for (const event of events) await journal.append(event);
    machine.payload.fingerprint = 'b'.repeat(64);
    t.strictSame((await machine.cli('stale', '--json')).json(), { stale: null });
    t.equal((await status(machine))['state'], events.at(-1)?.event);
    t.ok(isThere(machine, '/system-update'));
  });
}

void t.test('invariant 5: the claimed link of an attempt that could write nothing down stays', async (t) => {
  const machine = await prepared(t, 'trigger');
  rmSync(machine.path('/system-update'));
  machine.link('/var/lib/system-update', '/system-update.claimed');
  machine.payload.fingerprint = 'b'.repeat(64);
  t.strictSame((await machine.cli('stale', '--json')).json(), { stale: null });
  t.ok(isThere(machine, '/system-update.claimed'));
});

void t.test("invariant 1: another tool's link beside it stays", async (t) => {
  const machine = await prepared(t, 'trigger');
  machine.link('/var/lib/elsewhere', '/etc/system-update');
  machine.payload.fingerprint = 'b'.repeat(64);
  await machine.cli('stale');
  t.equal((await status(machine))['state'], 'stale');
  t.ok(isThere(machine, '/etc/system-update'));
});

void t.test('it waits for another verb that is at work', async (t) => {
  const machine = await prepared(t, 'trigger');
  machine.payload.fingerprint = 'b'.repeat(64);
  const lock = await takeLock(machine.paths.lock);
  const asked = new Promise<void>((resolve) => {
    machine.ports.online.takeLock = (...wanted) => {
      resolve();
      return takeLock(...wanted);
    };
  });
  const called = machine.cli('stale');
  await asked;
  t.ok(isThere(machine, '/system-update'));
  lock.release();
  t.equal((await called).exitCode, 0);
  t.equal((await status(machine))['state'], 'stale');
});

void t.test('it is for root', async (t) => {
  const machine = newOnlineMachine(t);
  t.equal((await machine.cliAsUser('stale')).exitCode, 3);
});
