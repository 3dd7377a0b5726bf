import t from 'tap';
import { wakeLogin } from '../../src/host/wake-login.js';
import { startFakeLogin } from './fixtures/fake-login.js';
import { startPrivateBus } from './fixtures/private-bus.js';

void t.test('logind is pinged, and asked for nothing else', async (t) => {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  const login = await startFakeLogin(daemon.address, { answer: { reply: [] } });
  await wakeLogin(daemon.address);
  t.strictSame(login.calls, ['Ping']);
});

void t.test(
  'nobody there, no answer, a refusal: no error, for the real request will meet the same',
  async (t) => {
    await t.resolves(wakeLogin('unix:path=/no/such/socket'), 'no bus');
    const daemon = await startPrivateBus();
    t.teardown(() => daemon.stop());
    await t.resolves(wakeLogin(daemon.address, 5000), 'no logind on the bus');
    const silent = await startFakeLogin(daemon.address, { answer: 'silence' });
    await t.resolves(wakeLogin(daemon.address, 50), 'a logind that keeps silent');
    t.strictSame(silent.calls, ['Ping']);
  },
);
