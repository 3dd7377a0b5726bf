/**
 * One connection to the system bus: connect, call, close. An object of our own on it: bus-object.ts.
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
import { DBusError, Message } from 'dbus-next';
import { systemBusAddress } from './bus-address.js';
import { connectToBus, within, type BusConnection } from './bus-connection.js';
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
  readonly call: (call: BusCall, deadlineMilliseconds: number) => Promise<unknown[]>;
  /** Calls that still wait reject with `BUS_GONE`. */
  close(): void;
}

const DEADLINE_MILLISECONDS = 10_000;

export async function openSystemBus(
  address: string = systemBusAddress(),
  deadlineMilliseconds = DEADLINE_MILLISECONDS,
): Promise<Bus> {
  const connection = connectToBus(address);
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
    call: (call, deadline) => callOn(connection, call, deadline),
  };
}

/** One call, on a connection of its own. */
export async function callOnce(
  call: BusCall,
  address?: string,
  deadlineMilliseconds = DEADLINE_MILLISECONDS,
): Promise<unknown[]> {
  const bus = await openSystemBus(address, deadlineMilliseconds);
  try {
    return await bus.call(call, deadlineMilliseconds);
  } finally {
    bus.close();
  }
}

/** The call that reads a property of an object; the answer is a variant. */
export function propertyCall(
  { destination, path, interface: face }: Pick<BusCall, 'destination' | 'path' | 'interface'>,
  name: string,
): BusCall {
  const properties = 'org.freedesktop.DBus.Properties';
  return { destination, path, interface: properties, member: 'Get', signature: 'ss', body: [face, name] };
}

/** As `Bus.call`, on a connection that somebody keeps. */
export async function callOn(
  { bus, lost }: BusConnection,
  call: BusCall,
  deadlineMilliseconds: number,
): Promise<unknown[]> {
  const what = `${call.interface}.${call.member} of ${call.destination}`;
  const reply = bus.call(new Message(call)).catch((error: unknown) => {
    throw callError(what, error);
  });
  const answer = await within(deadlineMilliseconds, `no reply to ${what}`, Promise.race([reply, lost]));
  return (answer?.body ?? []) as unknown[];
}

/** All else is a wrong signature, a fault of the caller. */
function callError(what: string, error: unknown): unknown {
  if (!(error instanceof DBusError)) return error;
  return new HostError('BUS_REFUSED', `${what} was refused: ${error.text} (${error.type})`, {
    busErrorName: error.type,
  });
}
