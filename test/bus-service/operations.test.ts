/** What the methods carry out, without a bus: who gives up, and whom that leaves alone. */
import t, { type Test } from 'tap';
import { operations, type Operations } from '../../src/bus-service/operations.js';
import type { ServicePorts } from '../../src/bus-service/ports.js';
import { machineOf } from '../../src/cli/preflight-machine.js';
import { newOnlineMachine, type OnlineMachine } from '../fixtures/online-machine.js';

interface Scene {
  machine: OnlineMachine;
  does: Operations;
  /** May be changed. */
  ports: ServicePorts;
}

const wishes = { packages: [], full: false, refresh: false, rehearse: false };

function scene(t: Test): Scene {
  const machine = newOnlineMachine(t);
  const ports: ServicePorts = {
    ...machine.ports,
    machine: () => machineOf(machine.ports),
    endChildren: () => Promise.resolve(),
  };
  return { machine, ports, does: operations(ports, '1.2.3') };
}

/** Something that is held until somebody lets it go on, and tells when it has begun. */
function held<T>(): { hold: () => Promise<T>; begun: Promise<void>; goOn: (value: T) => void } {
  let tell: () => void = () => undefined;
  let goOn: (value: T) => void = () => undefined;
  const begun = new Promise<void>((resolve) => (tell = resolve));
  const going = new Promise<T>((resolve) => (goOn = resolve));
  return {
    begun,
    goOn,
    hold() {
      tell();
      return going;
    },
  };
}

void t.test('given up while it is sealed, it is prepared, and is not rehearsed', async (t) => {
  const { machine, ports, does } = scene(t);
  const sealing = held<undefined>();
  const payload = await ports.payload();
  ports.payload = () => Promise.resolve({ ...payload, agree: sealing.hold });
  const prepare = does.prepare({ ...wishes, rehearse: true });
  await sealing.begun;
  t.ok(await does.giveUp());
  sealing.goOn(undefined);
  await t.rejects(prepare, {
    code: 'CANCELLED',
    message: /^the rehearsal was cancelled; the update \S+ is prepared$/,
    hint: 'offline-update status',
  });
  t.strictSame(machine.rehearsal.calls, []);
  t.equal((await does.status()).state, 'prepared');
});

void t.test(
  'what is at work on the files is told that it is given up, before its programs are ended',
  async (t) => {
    const { ports, does } = scene(t);
    const payload = await ports.payload();
    const fetching = held<undefined>();
    const seen: [what: string, isGivenUp: boolean | undefined][] = [];
    let given: (AbortSignal | undefined)[] = [];
    ports.payload = () =>
      Promise.resolve({
        ...payload,
        plan(request) {
          given = [request.signal];
          return payload.plan(request);
        },
        async fetch(plan, stage, on, signal) {
          given.push(signal);
          await fetching.hold();
          signal?.throwIfAborted();
          return payload.fetch(plan, stage, on);
        },
      });
    ports.endChildren = () => {
      for (const signal of given) seen.push(['ended', signal?.aborted]);
      fetching.goOn(undefined);
      return Promise.resolve();
    };
    const prepare = does.prepare(wishes);
    await fetching.begun;
    for (const signal of given) seen.push(['begun', signal?.aborted]);
    t.ok(await does.giveUp());
    await t.rejects(prepare, { code: 'CANCELLED' });
    t.strictSame(seen, [
      ['begun', false],
      ['begun', false],
      ['ended', true],
      ['ended', true],
    ]);
  },
);

void t.test('who gives up leaves the program alone that answers somebody else', async (t) => {
  const { machine, ports, does } = scene(t);
  await does.prepare(wishes);
  const drift = held<boolean>();
  const download = held<undefined>();
  const order: string[] = [];
  ports.hasDrifted = drift.hold;
  ports.endChildren = () => {
    order.push('ended');
    download.goOn(undefined);
    return Promise.resolve();
  };
  machine.payload.packages = [{ name: 'gamma', version: '3.0', content: 'gamma' }];
  machine.payload.beforeDownload = download.hold;
  const prepare = does.prepare(wishes).catch((error: unknown) => error);
  await download.begun;
  const status = does.status().then(() => order.push('answered'));
  await drift.begun;
  const givenUp = does.giveUp();
  drift.goOn(true);
  await Promise.all([status, givenUp, prepare]);
  t.strictSame(order, ['answered', 'ended']);
});

void t.test('a preparation that has ended by itself meanwhile takes no other one with it', async (t) => {
  const { ports, does } = scene(t);
  await does.prepare(wishes);
  const drift = held<boolean>();
  const sealing = held<undefined>();
  const payload = await ports.payload();
  let endings = 0;
  ports.hasDrifted = drift.hold;
  ports.endChildren = () => Promise.resolve(void (endings += 1));
  ports.payload = () => Promise.resolve({ ...payload, agree: sealing.hold });
  const prepare = does.prepare(wishes);
  await sealing.begun;
  const status = does.status();
  await drift.begun;
  const givenUp = does.giveUp();
  sealing.goOn(undefined);
  await prepare;
  drift.goOn(true);
  await Promise.all([status, givenUp]);
  t.equal(endings, 0);
});
