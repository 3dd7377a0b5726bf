/** Who may do what: root, polkit, nobody. */
import t from 'tap';
import { startFakeService, type Answer, type FakeService } from './fixtures/fake-service.js';
import type { PrivateBus } from './fixtures/private-bus.js';
import { serviceScene, type SceneOptions } from './fixtures/bus-service.js';

let polkit: FakeService | undefined;

function stranger(isAuthorized: boolean, isChallenge: boolean): SceneOptions {
  const reply: Answer = { reply: ['(bba{ss})', [isAuthorized, isChallenge, {}]] };
  return {
    isRoot: false,
    async before(daemon: PrivateBus) {
      polkit = await startFakeService(daemon.address, 'org.freedesktop.PolicyKit1', () => reply);
    },
  };
}

void t.test('without polkit only root may do anything; everybody may look', async (t) => {
  const { call, property, machine } = await serviceScene(t, { isRoot: false });
  const at = 'org.offlineupdate1 /org/offlineupdate1 org.offlineupdate1.Manager';
  const cases: [words: string[], instead: string][] = [
    [['Prepare', 'a{sv}', '0'], 'offline-update prepare'],
    [['Prepare', 'a{sv}', '1', 'full', 'b', 'true'], 'offline-update prepare --full'],
    [['Trigger', 'a{sv}', '0'], 'offline-update trigger'],
    [['Cancel'], 'offline-update cancel'],
    [['SetAction', 's', 'auto'], `busctl call ${at} SetAction s auto`],
  ];
  for (const [[member = '', ...rest], instead] of cases) {
    const told = `only root may do this: polkit is not installed\n  next: sudo ${instead}`;
    t.match((await call(member, ...rest)).stderr, told);
  }
  t.equal((await call('GetState')).exitCode, 0);
  t.equal(await property('State'), 'none');
  t.strictSame(machine.payload.downloaded, []);
});

void t.test('polkit is asked about who calls, by its name on the bus, and what it wants to do', async (t) => {
  const { call, heard } = await serviceScene(t, stranger(true, false));
  t.equal((await call('Prepare', 'a{sv}', '0')).stdout, '{"type":"u","data":[1]}');
  t.equal((await heard.finished(1)).error, '');
  t.equal((await call('Trigger', 'a{sv}', '0')).exitCode, 0);
  t.equal((await heard.finished(2)).error, '');
  await call('SetAction', 's', 'poweroff');
  await call('Cancel', '--allow-interactive-authorization=false');
  t.match(polkit?.calls, [
    /^CheckAuthorization \(sa\{sv\}\)sa\{ss\}us system-bus-name,\[object Object\] org\.offlineupdate1\.prepare \[object Object\] 1/,
    /org\.offlineupdate1\.trigger/,
    /org\.offlineupdate1\.manage \[object Object\] 1/,
    /org\.offlineupdate1\.manage \[object Object\] 0/,
  ]);
});

void t.test('who is denied gets the error of the command, and nothing happens', async (t) => {
  const { call, machine, property } = await serviceScene(t, stranger(false, false));
  const denied = await call('Prepare', 'a{sv}', '0');
  t.match(denied.stderr, 'polkit did not permit it\n  next: sudo offline-update prepare');
  t.equal(await property('Job'), 0);
  t.strictSame(machine.payload.downloaded, []);
});

void t.test('who cannot be asked for a password is told that it takes one', async (t) => {
  const { call } = await serviceScene(t, stranger(false, true));
  const { stderr } = await call('Trigger', 'a{sv}', '0', '--allow-interactive-authorization=false');
  t.match(stderr, /interactive authentication required|polkit asks for a password first/i);
});

void t.test('a wrong call is refused before anybody is asked for a password', async (t) => {
  const { call } = await serviceScene(t, stranger(false, true));
  await call('Prepare', 'a{sv}', '1', 'fully', 'b', 'true');
  t.strictSame(polkit?.calls, []);
});
