import { mkdirSync } from 'node:fs';
import { Variant } from 'dbus-next';
import t from 'tap';
import { isNetworkMetered, loggedInUsers, shutdownInhibitors } from '../../src/host/login.js';
import { startFakeLogin } from './fixtures/fake-login.js';
import { startFakeService } from './fixtures/fake-service.js';
import { startPrivateBus } from './fixtures/private-bus.js';

void t.test('only locks that block a shutdown are told', async (t) => {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  const locks = [
    ['shutdown:sleep', 'backup', 'writing a tape', 'block', 0, 7],
    ['shutdown', 'NetworkManager', 'turns off', 'delay', 0, 8],
    ['handle-power-key', 'desktop', 'asks first', 'block', 1000, 9],
  ];
  await startFakeLogin(daemon.address, { answer: { reply: ['a(ssssuu)', locks] } });
  t.strictSame(await shutdownInhibitors(daemon.address), [{ who: 'backup', why: 'writing a tape' }]);
});

void t.test('people are told, but not the calling session, and no greeter', async (t) => {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  const path = '/org/freedesktop/login1/session/x';
  const sessions = [
    ['1', 1000, 'ann', 'seat0', path],
    ['2', 0, 'root', '', path],
    ['c1', 117, 'gdm', 'seat0', path],
    ['own', 1001, 'bob', '', path],
  ];
  await startFakeLogin(daemon.address, { answer: { reply: ['a(susso)', sessions] } });
  t.strictSame(await loggedInUsers('own', daemon.address), ['ann', 'root']);
});

void t.test('a metered network, and one that is not', async (t) => {
  const folder = t.testdir({ NetworkManager: {} });
  for (const [value, isMetered] of [
    [1, true],
    [2, false],
    [3, true],
    [4, false],
  ] as const) {
    const daemon = await startPrivateBus();
    t.teardown(() => daemon.stop());
    await startFakeService(daemon.address, 'org.freedesktop.NetworkManager', () => ({
      reply: ['v', new Variant('u', value)],
    }));
    t.equal(await isNetworkMetered(folder, daemon.address), isMetered, `NMMetered ${value}`);
  }
  mkdirSync(`${folder}/other`);
  t.equal(await isNetworkMetered(`${folder}/none`, 'unix:path=/no/such/socket'), false, 'another program');
});

void t.test(
  'without a bus, or without logind, nobody is there; a logind that keeps silent is told',
  async (t) => {
    t.strictSame(await shutdownInhibitors('unix:path=/no/such/socket'), []);
    const daemon = await startPrivateBus();
    t.teardown(() => daemon.stop());
    t.strictSame(await loggedInUsers(undefined, daemon.address), []);
    await startFakeLogin(daemon.address, { answer: 'silence' });
    await t.rejects(shutdownInhibitors(daemon.address, 50), { code: 'BUS_TIMEOUT' });
  },
);
