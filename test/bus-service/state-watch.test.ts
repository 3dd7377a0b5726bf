import { mkdirSync, rmSync } from 'node:fs';
import t from 'tap';
import { stateWatch } from '../../src/bus-service/state-watch.js';
import { newOnlineMachine } from '../fixtures/online-machine.js';

void t.test('what cannot be looked at stays as it was, and is looked at again', async (t) => {
  const machine = newOnlineMachine(t);
  const { online } = machine.ports;
  const { state } = online.paths;
  rmSync(state, { recursive: true, force: true });
  machine.write(state.slice(machine.root.length), 'no folder');
  const watch = await stateWatch(online, () => undefined);
  t.teardown(() => {
    watch.close();
  });
  await watch.look();
  t.strictSame(watch.seen().state, { name: 'none' });
  rmSync(state);
  mkdirSync(state);
  await machine.cli('prepare');
  await watch.look();
  t.equal(watch.seen().state.name, 'prepared');
});

void t.test('somebody who throws at what is seen is told the next time all the same', async (t) => {
  const machine = newOnlineMachine(t);
  let looks = 0;
  const watch = await stateWatch(machine.ports.online, () => {
    looks += 1;
    throw new Error('no');
  });
  t.teardown(() => {
    watch.close();
  });
  const before = looks;
  await watch.look();
  t.ok(looks > before);
});
