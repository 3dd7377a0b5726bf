/** What strangers on the bus may send, and what an object of ours cannot answer. */
import { Message, sessionBus, type MessageBus } from 'dbus-next';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { parseBusInterface } from '../../src/host/bus-interface.js';
import { ownBusObject } from '../../src/host/bus-object.js';
import { startPrivateBus } from './fixtures/private-bus.js';

const NAME = 'org.example.Object';
const FACE = 'org.example.Face';
const xml = `<node><interface name="${FACE}">
  <method name="Count"><arg type="u" direction="in"/><arg type="u" direction="out"/></method>
  <method name="Wrong"><arg type="u" direction="out"/></method>
  <property name="Mood" type="s" access="read"/>
</interface></node>`;

async function scene(t: Test): Promise<MessageBus> {
  const daemon = await startPrivateBus();
  t.teardown(() => daemon.stop());
  const object = await ownBusObject({
    address: daemon.address,
    busName: NAME,
    path: '/org/example',
    interface: parseBusInterface(xml),
    methods: () => ({
      Count: ([count]) => Promise.resolve([Number(count) + 1]),
      Wrong: () => Promise.resolve(['no number']),
    }),
    properties: () => ({ Mood: 'good' }),
    errorOf: (error) => ({ name: 'org.example.Error', text: String(error) }),
    onCall: () => () => undefined,
  });
  object.lost.catch(() => undefined);
  const bus = sessionBus({ busAddress: daemon.address });
  bus.on('error', () => undefined);
  await once(bus, 'connect');
  return bus;
}

const at = { destination: NAME, path: '/org/example' };
const count = (): Message =>
  new Message({ ...at, interface: FACE, member: 'Count', signature: 'u', body: [1] });

const refusal = (bus: MessageBus, call: Message): Promise<unknown> =>
  bus.call(call).then(
    () => undefined,
    (error: unknown) => error,
  );

/** The next message on its way says that its number is the index of a file descriptor, and none comes with it. */
function claimDescriptor(bus: MessageBus): void {
  const { stream } = (bus as unknown as { _connection: { stream: { write: (bytes: Buffer) => boolean } } })
    ._connection;
  const write = stream.write.bind(stream);
  stream.write = (bytes) => {
    stream.write = write;
    const field = bytes.indexOf(Buffer.from('\x08\x01g\0\x01u\0', 'latin1')); // the header field SIGNATURE
    bytes.write('h', field + 5, 'latin1');
    return write(bytes);
  };
}

void t.test('who sends a descriptor that is not there is refused, and nobody else notices', async (t) => {
  const bus = await scene(t);
  claimDescriptor(bus);
  t.match(await refusal(bus, count()), {
    type: 'org.freedesktop.DBus.Error.InvalidArgs',
    text: 'Count takes (u), not (h)',
  });
  t.strictSame((await bus.call(count()))?.body, [2]);
});

const get = (name: string): Message => {
  const body = [FACE, name];
  return new Message({
    ...at,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'Get',
    signature: 'ss',
    body,
  });
};

void t.test('a name that every object has is no property', async (t) => {
  const bus = await scene(t);
  for (const name of ['constructor', '__proto__', 'toString']) {
    t.match(await refusal(bus, get(name)), {
      type: 'org.freedesktop.DBus.Error.UnknownProperty',
      text: `there is no property ${name}`,
    });
  }
  t.match((await bus.call(get('Mood')))?.body, [{ signature: 's', value: 'good' }]);
});

void t.test('who cannot be answered as the interface says gets an error, not silence', async (t) => {
  const bus = await scene(t);
  const wrong = new Message({ ...at, interface: FACE, member: 'Wrong' });
  t.match(await refusal(bus, wrong), { type: 'org.freedesktop.DBus.Error.Failed', text: /^no reply: / });
});
