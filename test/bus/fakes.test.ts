import t from 'tap';
import { runCommand } from '../../src/host/command.js';
import { startFakeLogin, startFakeManager } from './fixtures/fake-login.js';
import type { FakeLoginOptions } from './fixtures/fake-login.js';
import { startFakeService } from './fixtures/fake-service.js';
import { startPrivateBus } from './fixtures/private-bus.js';

/** Everything here is looked at through busctl, so that the fakes do not vouch for themselves. */
async function busctl(address: string, ...args: string[]): Promise<string> {
  const result = await runCommand('busctl', [`--address=${address}`, '--timeout=5', ...args], {
    env: { LC_ALL: 'C' },
    timeoutSeconds: 20,
  });
  return result.exitCode === 0 ? result.stdout : result.stderr;
}

const manager = ['org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager'];
const pid1 = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];

void t.test('the private bus carries a service’s replies and errors', async (t) => {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  const service = await startFakeService(daemon.address, 'org.example.Test', ({ member }) =>
    member === 'Good' ? { reply: ['su', 'text', 7] } : { error: 'org.example.Error.Bad', text: 'bad' },
  );
  const target = ['org.example.Test', '/org/example/Test', 'org.example.Test'];
  const call = service.nextCall();
  t.equal(await busctl(daemon.address, 'call', ...target, 'Good', 's', 'word'), 'su "text" 7');
  t.equal(await call, 'Good s word');
  t.match(await busctl(daemon.address, 'call', ...target, 'Other'), 'bad');
  t.same(service.calls, ['Good s word', 'Other']);
  await service.stop();
  t.match(await busctl(daemon.address, 'call', ...target, 'Good'), /not provided by any .service files/);
});

void t.test('the logind of each version knows what it should', async (t) => {
  const cases: [FakeLoginOptions, string, string | RegExp][] = [
    [{ version: 247 }, 'RebootWithFlags t 0', /UnknownMethod/],
    [{ version: 247 }, 'Reboot b false', ''],
    [{ version: 253 }, 'RebootWithFlags t 4', /InvalidArgs/],
    [{ version: 254 }, 'RebootWithFlags t 4', ''],
    [{ version: 254 }, 'RebootWithFlags t 16', /InvalidArgs/],
    [{ version: 256, inhibited: true }, 'PowerOff b false', ''],
    [{ inhibited: true }, 'PowerOff b false', /active block inhibitor/],
    [{ inhibited: true }, 'RebootWithFlags t 0', /active block inhibitor/],
    [{ inhibited: true }, 'RebootWithFlags t 16', /InteractiveAuthorizationRequired/],
    [{ inhibited: true, maySkipInhibitors: true }, 'RebootWithFlags t 20', ''],
    [{}, 'PowerOffWithFlags t 4', /InvalidArgs/],
    [{}, 'RebootWithFlags b false', /InvalidArgs/],
    [{}, 'Sing', /UnknownMethod/],
  ];
  for (const [options, call, told] of cases) {
    const daemon = await startPrivateBus();
    await startFakeLogin(daemon.address, options);
    const answer = await busctl(daemon.address, 'call', ...manager, ...call.split(' '));
    t.match(answer, told, `${JSON.stringify(options)} ${call}`);
    await daemon.stop();
  }
});

void t.test('the PID 1 starts the units it has', async (t) => {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  await startFakeManager(daemon.address, ['reboot.target']);
  const start = (...args: string[]): Promise<string> => busctl(daemon.address, 'call', ...pid1, ...args);
  t.match(await start('StartUnit', 'ss', 'reboot.target', 'replace-irreversibly'), /^o "\/org\/.*\/4711"$/);
  t.match(await start('StartUnit', 'ss', 'kexec.target', 'replace'), /NoSuchUnit/);
  t.match(await start('StartUnit', 's', 'reboot.target'), /InvalidArgs/);
  t.match(await start('Reboot'), /UnknownMethod/);
});
