/** The service ends when nobody needs it, and never under somebody's hands. */
import t from 'tap';
import { openSystemBus } from '../../src/host/bus.js';
import { HostError } from '../../src/host/host-error.js';
import { FACE, serviceScene } from './fixtures/bus-service.js';

const calls = 40;
const rounds = 20;

void t.test('it lets its name go and ends when nobody asks', async (t) => {
  let endings = 0;
  const { ended, heard } = await serviceScene(t, { idleSeconds: 0, onEnding: () => (endings += 1) });
  await heard.gone();
  await ended;
  t.equal(endings, 1);
});

void t.test('what was asked before the name is gone is answered, however short the patience', async (t) => {
  const { daemon, ended, serveAgain } = await serviceScene(t, { idleSeconds: 0 });
  await ended;
  const state = { destination: 'org.offlineupdate1', path: '/org/offlineupdate1', interface: FACE };
  let answered = 0;
  const refusals = new Set<string | undefined>();
  const ask = async (): Promise<void> => {
    const bus = await openSystemBus(daemon.address);
    for (let call = 0; call < calls; call += 1) {
      await bus.call({ ...state, member: 'GetState' }, 10_000).then(
        () => (answered += 1),
        (error: unknown) => refusals.add(error instanceof HostError ? error.busErrorName : String(error)),
      );
    }
    bus.close();
  };
  for (let round = 0; round < rounds; round += 1) await Promise.all([serveAgain(), ask(), ask()]);
  t.comment(`${answered} of ${2 * calls * rounds} were answered`);
  t.ok(answered > 0, 'some came in while it was there');
  refusals.delete('org.freedesktop.DBus.Error.ServiceUnknown');
  t.strictSame(
    [...refusals],
    [],
    'to the others the bus said that nobody is there: none was left without a reply',
  );
});

void t.test('a job that is under way is finished and told before it ends', async (t) => {
  const { machine, call, heard, ended } = await serviceScene(t, { idleSeconds: 0.2 });
  let goOn: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (goOn = resolve));
  machine.payload.beforeDownload = () => held;
  t.equal((await call('Prepare', 'a{sv}', '0')).exitCode, 0);
  goOn();
  t.match(await heard.finished(1), { error: '', details: { state: 'prepared' } });
  await ended;
});

void t.test('a bus that dies ends it with its error', async (t) => {
  const { daemon, ended } = await serviceScene(t);
  daemon.signal('SIGKILL');
  await t.rejects(ended, { code: 'BUS_GONE' });
});

void t.test('a second one finds the name taken and ends', async (t) => {
  const { serveAgain } = await serviceScene(t);
  await t.rejects(serveAgain(), {
    code: 'BUS_REFUSED',
    message: 'another process has the bus name org.offlineupdate1',
  });
});
