import t from 'tap';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus, BusCall } from '../../src/host/bus.js';
import { systemBusAddress } from '../../src/host/bus-address.js';
import { openSystemBus } from '../../src/host/bus.js';
import { runCommand } from '../../src/host/command.js';
import { startFakeLogin } from './fixtures/fake-login.js';
import type { Answer, FakeService } from './fixtures/fake-service.js';
import { startFakeService } from './fixtures/fake-service.js';
import type { PrivateBus, PrivateBusOptions } from './fixtures/private-bus.js';
import { startPrivateBus } from './fixtures/private-bus.js';

interface Teardown {
  teardown: (act: () => unknown) => void;
}

async function privateBus(t: Teardown, options?: PrivateBusOptions): Promise<PrivateBus> {
  const daemon = await startPrivateBus(options);
  t.teardown(() => daemon.stop());
  return daemon;
}

async function connected(t: Teardown, address: string): Promise<Bus> {
  const bus = await openSystemBus(address, 5000);
  t.teardown(() => {
    bus.close();
  });
  return bus;
}

/** A service that gives every call the same answer, with a client beside it. */
async function scene(
  t: Teardown,
  answer: Answer,
): Promise<{ daemon: PrivateBus; service: FakeService; bus: Bus }> {
  const daemon = await privateBus(t);
  const service = await startFakeService(daemon.address, 'org.example.Test', () => answer);
  return { daemon, service, bus: await connected(t, daemon.address) };
}

const ask: BusCall = {
  destination: 'org.example.Test',
  path: '/org/example/Test',
  interface: 'org.example.Test',
  member: 'Ask',
};
const reboot: BusCall = {
  destination: 'org.freedesktop.login1',
  path: '/org/freedesktop/login1',
  interface: 'org.freedesktop.login1.Manager',
  member: 'RebootWithFlags',
  signature: 't',
  body: [0n],
};

void t.test('a call gives the body of its reply; 64-bit numbers are bigint both ways', async (t) => {
  const { bus, service } = await scene(t, { reply: ['st', 'yes', 2n ** 63n] });
  t.same(await bus.call({ ...ask, signature: 'tb', body: [2n ** 60n, true] }, 5000), ['yes', 2n ** 63n]);
  t.same(service.calls, ['Ask tb 1152921504606846976 true']);
});

void t.test('a reply without a body is an empty list', async (t) => {
  const { bus } = await scene(t, { reply: [] });
  t.same(await bus.call(ask, 5000), []);
});

void t.test('what we send is what busctl sends', async (t) => {
  const daemon = await privateBus(t);
  const login = await startFakeLogin(daemon.address);
  const bus = await connected(t, daemon.address);
  await bus.call(reboot, 5000);
  const { destination, path, interface: face, member } = reboot;
  const args = [`--address=${daemon.address}`, 'call', destination, path, face, member, 't', '0'];
  const busctl = await runCommand('busctl', args, { timeoutSeconds: 10 });
  t.same(busctl, { exitCode: 0, signal: undefined, stdout: '', stderr: '' });
  t.same(login.calls, ['RebootWithFlags t 0', 'RebootWithFlags t 0']);
});

void t.test('an error reply is BUS_REFUSED with its name', async (t) => {
  const { bus } = await scene(t, { error: 'org.example.Error.No', text: 'not today' });
  await t.rejects(bus.call(ask, 5000), {
    code: 'BUS_REFUSED',
    busErrorName: 'org.example.Error.No',
    message: 'org.example.Test.Ask of org.example.Test was refused: not today (org.example.Error.No)',
  });
});

void t.test('a service that is not there is BUS_REFUSED by the bus', async (t) => {
  const daemon = await privateBus(t);
  const bus = await connected(t, daemon.address);
  await t.rejects(bus.call(ask, 5000), {
    code: 'BUS_REFUSED',
    busErrorName: 'org.freedesktop.DBus.Error.ServiceUnknown',
  });
});

void t.test('a wrong signature is the caller’s fault, not the bus’s', async (t) => {
  const { bus, service } = await scene(t, { reply: [] });
  await t.rejects(bus.call({ ...ask, signature: 't', body: ['text'] }, 5000), { code: undefined });
  t.same(service.calls, []);
});

void t.test('no bus: BUS_ABSENT, at once', async (t) => {
  const folder = t.testdir({ file: '' });
  for (const address of [
    `unix:path=${folder}/no-socket`,
    `unix:path=${folder}/file`,
    'unix:abstract=no-such-bus',
    'carrier-pigeon:',
  ]) {
    await t.rejects(openSystemBus(address, 60_000), { code: 'BUS_ABSENT' }, address);
  }
});

void t.test('one who listens and is no bus is no bus', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'no-bus-'));
  const sockets = new Set<Socket>();
  let greet = (socket: Socket): void => void socket.end();
  const server = createServer((socket) => {
    sockets.add(socket);
    greet(socket);
  });
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
    rmSync(folder, { recursive: true });
  });
  server.listen(join(folder, 'socket'));
  await once(server, 'listening');
  const address = `unix:path=${folder}/socket`;
  await t.rejects(openSystemBus(address, 60_000), { code: 'BUS_ABSENT' }, 'hangs up');
  greet = (socket) => void socket.write('REJECTED EXTERNAL\r\n');
  await t.rejects(openSystemBus(address, 60_000), { code: 'BUS_ABSENT' }, 'lets nobody in');
  greet = () => undefined;
  await t.rejects(openSystemBus(address, 50), {
    code: 'BUS_TIMEOUT',
    message: `no greeting from the bus at ${address} within 50 ms`,
  });
});

void t.test('a bus that refuses the greeting is told, and breaks nothing else', async (t) => {
  const daemon = await privateBus(t, { connectionLimit: 1 });
  await connected(t, daemon.address);
  const error = await openSystemBus(daemon.address, 60_000).then(
    () => t.fail('let in'),
    (error: unknown) => error as Error,
  );
  t.match(error, { code: 'BUS_ABSENT', cause: { message: /LimitsExceeded/ } });
});

void t.test('the bus is killed in mid-call: BUS_GONE, long before the deadline', async (t) => {
  const { bus, daemon, service } = await scene(t, 'silence');
  const call = bus.call(ask, 60_000);
  await service.nextCall();
  daemon.signal('SIGKILL');
  await t.rejects(call, { code: 'BUS_GONE', message: `the bus at ${daemon.address} is gone` });
  await t.rejects(bus.call(ask, 60_000), { code: 'BUS_GONE' }, 'and so is every later call');
});

void t.test('a service that keeps silent: BUS_TIMEOUT, and the connection serves on', async (t) => {
  const { bus, daemon, service } = await scene(t, 'silence');
  await t.rejects(bus.call(ask, 50), {
    code: 'BUS_TIMEOUT',
    message: 'no reply to org.example.Test.Ask of org.example.Test within 50 ms',
  });
  await service.stop();
  await startFakeService(daemon.address, 'org.example.Test', () => ({ reply: ['s', 'there'] }));
  t.same(await bus.call(ask, 5000), ['there']);
});

void t.test('a bus that hangs: BUS_TIMEOUT, and close does not wait for it', async (t) => {
  const { bus, daemon } = await scene(t, { reply: [] });
  daemon.signal('SIGSTOP');
  await t.rejects(bus.call(ask, 50), { code: 'BUS_TIMEOUT' });
  const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap').length;
  const before = sockets();
  bus.close();
  for (const turn of [1, 2]) await new Promise((resolve) => setImmediate(resolve, turn)); // handles go between two turns
  t.equal(sockets(), before - 1, 'nothing of it keeps the process alive');
});

void t.test('a service that dies in mid-call: the bus says NoReply', async (t) => {
  const { bus } = await scene(t, 'vanish');
  await t.rejects(bus.call(ask, 60_000), {
    code: 'BUS_REFUSED',
    busErrorName: 'org.freedesktop.DBus.Error.NoReply',
  });
});

void t.test('logind restarted between two calls: the second reaches the new one', async (t) => {
  const daemon = await privateBus(t);
  const bus = await connected(t, daemon.address);
  const first = await startFakeLogin(daemon.address);
  await bus.call(reboot, 5000);
  await first.stop();
  const second = await startFakeLogin(daemon.address);
  await bus.call(reboot, 5000);
  t.same([first.calls, second.calls], [['RebootWithFlags t 0'], ['RebootWithFlags t 0']]);
});

void t.test('closed by ourselves in mid-call: BUS_GONE', async (t) => {
  const { bus, service } = await scene(t, 'silence');
  const call = bus.call(ask, 60_000);
  await service.nextCall();
  bus.close();
  await t.rejects(call, { code: 'BUS_GONE' });
});

void t.test('the address is the environment’s, or the socket in /run', (t) => {
  t.equal(systemBusAddress({ DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/x' }), 'unix:path=/x');
  t.equal(systemBusAddress({}), 'unix:path=/run/dbus/system_bus_socket');
  t.end();
});
