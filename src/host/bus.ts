/**
 * One connection to the system bus: connect, call, close. The only file that knows dbus-next.
 *
 * dbus-next never settles a call when the bus dies, when the service keeps silent or when nobody listens, and it loses
 * signals of a restarted service. So: every call races a deadline and the end of the connection; messages with fixed
 * signatures instead of proxies; no signals, no reconnect. File descriptors cannot be received: never call
 * `Inhibit` through it (use systemd-inhibit).
 *
 * 64-bit integers (`t`, `x`) are bigint in both directions.
 *
 * Errors: `BUS_ABSENT` (nobody listens), `BUS_GONE` (the connection ended before the reply), `BUS_TIMEOUT`,
 * `BUS_REFUSED` (an error reply; `busErrorName` says which). After `BUS_GONE` or `BUS_TIMEOUT` the service may or
 * may not have acted.
 */
import type { MessageBus } from 'dbus-next';
import { DBusError, Message, MessageType, sessionBus } from 'dbus-next';
import type { EventEmitter } from 'node:events';
import { HostError } from './host-error.js';

export interface BusCall {
  destination: string;
  path: string;
  interface: string;
  member: string;
  signature?: string;
  body?: unknown[];
}

export interface Bus {
  /** The body of the reply. */
  call(call: BusCall, deadlineMilliseconds: number): Promise<unknown[]>;
  /** Calls that still wait reject with `BUS_GONE`. */
  close(): void;
}

/** `DBUS_SYSTEM_BUS_ADDRESS`, or the socket in /run: dbus-next's own default goes through /var, which may be absent. */
export function systemBusAddress(env: NodeJS.ProcessEnv = process.env): string {
  return env['DBUS_SYSTEM_BUS_ADDRESS'] ?? 'unix:path=/run/dbus/system_bus_socket';
}

export async function openSystemBus(
  address: string = systemBusAddress(),
  deadlineMilliseconds = 10_000,
): Promise<Bus> {
  const connection = connect(address);
  try {
    await within(deadlineMilliseconds, `no greeting from the bus at ${address}`, connection.ready);
  } catch (error) {
    connection.close();
    throw error;
  }

  return {
    close: () => {
      connection.close();
    },
    async call(call, deadline) {
      const what = `${call.interface}.${call.member} of ${call.destination}`;
      const reply = connection.bus.call(new Message(call)).catch((error: unknown) => {
        throw callError(what, error);
      });
      const answer = await within(deadline, `no reply to ${what}`, Promise.race([reply, connection.lost]));
      return (answer?.body ?? []) as unknown[];
    },
  };
}

interface Connection {
  bus: MessageBus;
  ready: Promise<void>;
  /** Rejects when the connection ends. */
  lost: Promise<never>;
  close(): void;
}

function connect(address: string): Connection {
  let bus: MessageBus;
  try {
    // systemBus() takes no address; its cookie login throws where nobody can catch
    bus = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
  } catch (cause) {
    throw new HostError('BUS_ABSENT', `cannot use the bus address ${address}`, { cause });
  }
  let connected = false;
  let lose: (error: HostError) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => (lose = reject));
  const broken = (cause?: unknown): void => {
    const [code, text] = connected
      ? (['BUS_GONE', `the bus at ${address} is gone`] as const)
      : (['BUS_ABSENT', `no bus at ${address}`] as const);
    lose(new HostError(code, text, { cause }));
  };
  lost.catch(() => undefined); // it may be lost while nobody waits

  bus.on('error', broken);
  ignoreRefusedHello(bus, broken);
  // A lost bus shows on these private streams only; the deadline is the net below.
  const { _connection: raw } = bus as unknown as { _connection?: EventEmitter & { stream?: RawStream } };
  raw?.on('end', broken);
  raw?.stream?.on('close', () => {
    broken();
  });

  const ready = new Promise<void>((resolve) => {
    bus.on('connect', () => {
      connected = true;
      resolve();
    });
  });
  return {
    bus,
    lost,
    ready: Promise.race([ready, lost]),
    close() {
      if (raw?.stream?.destroy) raw.stream.destroy();
      else bus.disconnect();
      broken();
    },
  };
}

interface RawStream extends EventEmitter {
  destroy?: () => void;
}

/** dbus-next throws where nobody can catch when the bus refuses its greeting (too many connections, for one). */
function ignoreRefusedHello(bus: MessageBus, broken: (cause: unknown) => void): void {
  bus.on('message', (message) => {
    const { name } = bus as unknown as { name: string | null };
    if (name !== null || message.type !== MessageType.ERROR) return;
    message.replySerial = ''; // so that it finds no handler
    broken(new Error(`${message.errorName}: ${String(message.body[0])}`));
  });
}

/** All else is a wrong signature, a fault of the caller. */
function callError(what: string, error: unknown): unknown {
  if (!(error instanceof DBusError)) return error;
  return new HostError('BUS_REFUSED', `${what} was refused: ${error.text} (${error.type})`, {
    busErrorName: error.type,
  });
}

async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new HostError('BUS_TIMEOUT', `${what} within ${milliseconds} ms`));
    }, milliseconds);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
