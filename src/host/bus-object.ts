/**
 * One object of our own on a message bus, with one interface, under a well-known name. It is built from the interface's
 * introspection file: what comes in and goes out has the signatures that stand there.
 *
 * dbus-next's own way to export objects is not used: it does not tell a method who called it. A call whose caller wants
 * no answer gets none. Values of the type `v` are handed over bare, without their signature.
 *
 * Errors: those of bus.ts; `BUS_REFUSED` when another process has the name.
 */
import { Message, MessageFlag, NameFlag, RequestNameReply, Variant } from 'dbus-next';
import { systemBusAddress } from './bus-address.js';
import { callOn, type Bus, type BusCall } from './bus.js';
import { connectToBus, within, type BusConnection } from './bus-connection.js';
import type { BusInterface } from './bus-interface.js';
import { HostError } from './host-error.js';

export interface Caller {
  /** Its unique name, such as `:1.42`: never given out twice. */
  name: string;
  /** Its user may be asked for a password on the way. */
  isInteractive: boolean;
}

export interface BusObjectParts {
  address?: string;
  busName: string;
  path: string;
  interface: BusInterface;
  /** Asked for once, before the first call can come in. */
  methods(object: BusObject): BusMethods;
  /** The present value of each property of the interface. */
  properties: () => Readonly<Record<string, unknown>>;
  /** How a method that rejects is told to its caller. */
  errorOf(error: unknown): { name: string; text: string };
  /** Called for each call that comes in; what it returns when that is answered. */
  onCall: () => () => void;
}

/** Of each method of the interface: from the body of the call to that of the reply. */
export type BusMethods = Readonly<Record<string, (body: unknown[], caller: Caller) => Promise<unknown[]>>>;

export interface BusObject {
  readonly call: Bus['call'];
  emit(signal: string, ...body: unknown[]): void;
  /** PropertiesChanged of these, with their present values. */
  tellChanged(names: readonly string[]): void;
  /** Lets the name go. Resolves when all calls that were sent to it before have come in. */
  release(): Promise<void>;
  /** Rejects when the bus has gone. */
  lost: Promise<never>;
  /** Ends the connection once all is written. */
  finish(): Promise<void>;
}

const DEADLINE_MILLISECONDS = 10_000;
const error = (name: string): string => `org.freedesktop.DBus.Error.${name}`;
const PROPERTIES = 'org.freedesktop.DBus.Properties';
const INTROSPECTABLE = 'org.freedesktop.DBus.Introspectable';
const PEER = 'org.freedesktop.DBus.Peer';

export async function ownBusObject(parts: BusObjectParts): Promise<BusObject> {
  const { address = systemBusAddress(), busName, path } = parts;
  const connection = connectToBus(address);
  const { bus, lost } = connection;
  /** Undefined when it is on its way; a bus that is gone is not told here but by `lost`. */
  const send = (message: Message): Error | undefined => {
    try {
      bus.send(message);
      return undefined;
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error('it cannot be sent', { cause: thrown });
    }
  };
  const object: BusObject = {
    lost,
    call: (call, deadline) => callOn(connection, call, deadline),
    emit(signal, ...body) {
      const signature = parts.interface.signals.get(signal) ?? '';
      send(Message.newSignal(path, parts.interface.name, signal, signature, body.map(sendable)));
    },
    tellChanged(names) {
      const values = allProperties(parts);
      const changed = Object.fromEntries(names.map((name) => [name, values[name]]));
      const body = [parts.interface.name, changed, []];
      send(Message.newSignal(path, PROPERTIES, 'PropertiesChanged', 'sa{sv}as', body));
    },
    async release() {
      await callOn(connection, toBus('ReleaseName', 's', [busName]), DEADLINE_MILLISECONDS);
    },
    finish: () => connection.finish(),
  };
  const methods = parts.methods(object);
  bus.addMethodHandler((message: Message): boolean => {
    // Ping is answered by the library
    if (message.interface === PEER) return false;
    const answered = parts.onCall();
    void answer(parts, methods, message)
      .then((reply) => {
        if ((message.flags & MessageFlag.NO_REPLY_EXPECTED) !== 0) return;
        const failed = send(reply);
        // of a value that does not fit its signature; whoever waits has to be told something
        if (failed) send(refusal(message, error('Failed'), `no reply: ${failed.message}`));
      })
      .finally(answered);
    return true;
  });
  try {
    await within(DEADLINE_MILLISECONDS, `no greeting from the bus at ${address}`, connection.ready);
    await takeName(connection, busName);
  } catch (cause) {
    connection.close();
    throw cause;
  }
  return object;
}

function toBus(member: string, signature: string, body: unknown[]): BusCall {
  const bus = 'org.freedesktop.DBus';
  return { destination: bus, path: '/org/freedesktop/DBus', interface: bus, member, signature, body };
}

async function takeName(connection: BusConnection, name: string): Promise<void> {
  const call = toBus('RequestName', 'su', [name, NameFlag.DO_NOT_QUEUE]);
  const [reply] = await callOn(connection, call, DEADLINE_MILLISECONDS);
  if (reply === RequestNameReply.PRIMARY_OWNER) return;
  throw new HostError('BUS_REFUSED', `another process has the bus name ${name}`);
}

function refusal(message: Message, name: string, text: string): Message {
  // the declared type of the first argument is wrong: it takes the message
  return Message.newError(message as unknown as string, name, String(sendable(text)));
}

/** Never rejects. */
async function answer(parts: BusObjectParts, methods: BusMethods, message: Message): Promise<Message> {
  const refuse = (name: string, text: string): Message => refusal(message, name, text);
  const { interface: face, member, signature, path } = message;
  const body = (message.body as unknown[]).map(bare);
  if (face === INTROSPECTABLE && member === 'Introspect') {
    const xml = path === parts.path ? parts.interface.xml : childOf(path, parts.path);
    if (xml !== undefined) return Message.newMethodReturn(message, 's', [xml]);
  }
  if (path !== parts.path) return refuse(error('UnknownObject'), `there is no object ${path} here`);
  const known = face === PROPERTIES ? propertyMethods : parts.interface.methods;
  const method =
    face === PROPERTIES || !face || face === parts.interface.name ? known.get(member) : undefined;
  if (!method)
    return refuse(error('UnknownMethod'), `there is no method ${member} of ${face || 'this object'}`);
  if (signature !== method.in) {
    return refuse(error('InvalidArgs'), `${member} takes (${method.in}), not (${signature})`);
  }
  try {
    const reply =
      face === PROPERTIES
        ? property(parts, member, body)
        : await methods[member]?.(body, {
            name: message.sender,
            isInteractive: (message.flags & ALLOW_INTERACTIVE_AUTHORIZATION) !== 0,
          });
    return Message.newMethodReturn(message, method.out, (reply ?? []).map(sendable));
  } catch (thrown) {
    const { name, text } = thrown instanceof PropertyError ? thrown : parts.errorOf(thrown);
    return refuse(name, text);
  }
}

/** A flag that dbus-next has no name for. */
const ALLOW_INTERACTIVE_AUTHORIZATION = 0x4;

const propertyMethods: BusInterface['methods'] = new Map([
  ['Get', { in: 'ss', out: 'v' }],
  ['GetAll', { in: 's', out: 'a{sv}' }],
  ['Set', { in: 'ssv', out: '' }],
]);

class PropertyError extends Error {
  constructor(
    override readonly name: string,
    readonly text: string,
  ) {
    super(text);
  }
}

function property(parts: BusObjectParts, member: string, [face, name]: unknown[]): unknown[] {
  const values = face === parts.interface.name || face === '' ? allProperties(parts) : {};
  if (member === 'GetAll') return [values];
  const value = Object.hasOwn(values, String(name)) ? values[String(name)] : undefined;
  if (!value) throw new PropertyError(error('UnknownProperty'), `there is no property ${String(name)}`);
  if (member === 'Get') return [value];
  throw new PropertyError(error('PropertyReadOnly'), `${String(name)} cannot be set`);
}

function allProperties({ interface: face, properties }: BusObjectParts): Record<string, Variant> {
  const values = properties();
  return Object.fromEntries(
    [...face.properties].map(([name, signature]) => [name, new Variant(signature, sendable(values[name]))]),
  );
}

/** The bus hangs up on who sends a text with a NUL in it. */
function sendable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '\uFFFD') : value;
}

function bare(value: unknown): unknown {
  if (value instanceof Variant) return bare(value.value);
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, bare(each)]));
}

/** For those who walk down from the root, as `busctl tree` does. */
function childOf(path: string, own: string): string | undefined {
  const prefix = path === '/' ? path : `${path}/`;
  if (!own.startsWith(prefix)) return undefined;
  return `<node><node name="${own.slice(prefix.length).split('/')[0] ?? ''}"/></node>`;
}
