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
  await startFakeService(daemon.address, 'org.freedesktop.login1', ({ member }) =>
    member === 'ListSessions'
      ? { reply: ['a(susso)', sessions] }
      : { error: 'org.freedesktop.DBus.Error.UnknownMethod' },
  );
  t.strictSame(await loggedInUsers('own', daemon.address), ['ann', 'root']);
});

void t.test('a service manager of a user is nobody who is logged in', async (t) => {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  const session = (id: string, uid: number, name: string, kind: string) =>
    [id, uid, name, '', 1, kind, '', false, 0n, `/org/freedesktop/login1/session/${id}`] as const;
  // systemd 257: each log-in brings a second session for user@.service, and a lingering user has that one alone
  const sessions = [
    session('1', 0, 'root', 'user'),
    session('2', 0, 'root', 'manager'),
    session('3', 1000, 'ann', 'user'),
    session('4', 1000, 'ann', 'manager'),
    session('5', 1001, 'podman', 'manager'),
    session('6', 1002, 'cron', 'background'),
    session('c1', 117, 'gdm', 'greeter'),
    session('7', 1003, 'eve', 'user-early'),
  ];
  await startFakeService(daemon.address, 'org.freedesktop.login1', ({ member }) =>
    member === 'ListSessionsEx'
      ? { reply: ['a(sussussbto)', sessions] }
      : {
          reply: [
            'a(susso)',
            sessions.map(([id, uid, name, seat, , , , , , path]) => [id, uid, name, seat, path]),
          ],
        },
  );
  t.strictSame(await loggedInUsers('1', daemon.address), ['ann', 'eve']);
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
