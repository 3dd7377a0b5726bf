/**
 * A connection to a message bus whose end is told, with the private streams of dbus-next that this takes. Only bus.ts
 * and bus-object.ts use it: nothing else knows dbus-next.
 *
 * Errors: `BUS_ABSENT` (nobody listens), `BUS_GONE` (it ended), `BUS_TIMEOUT`.
 */
import type { MessageBus } from 'dbus-next';
import { MessageType, sessionBus } from 'dbus-next';
// @ts-expect-error this part of it has no types
import DBusBuffer from 'dbus-next/lib/dbus-buffer.js';
import type { EventEmitter } from 'node:events';
import { HostError } from './host-error.js';

// No descriptor can be received here. Of one in a message dbus-next would throw where nobody can catch, so that whoever
// may send to us could end us: it is read as what stands in the message, the number of one that is not there.
const reader = (
  DBusBuffer as unknown as { prototype: { readSimpleType: (this: unknown, type: string) => unknown } }
).prototype;
const { readSimpleType } = reader;
reader.readSimpleType = function (type) {
  return readSimpleType.call(this, type === 'h' ? 'u' : type);
};

export interface BusConnection {
  bus: MessageBus;
  ready: Promise<void>;
  /** Rejects when the connection ends. */
  lost: Promise<never>;
  close(): void;
  /** As `close`, once all that was sent is written. */
  finish(): Promise<void>;
}

export function connectToBus(address: string): BusConnection {
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
    async finish() {
      const { stream } = raw ?? {};
      if (stream?.end) await new Promise<void>((resolve) => stream.end?.(resolve));
      this.close();
    },
  };
}

interface RawStream extends EventEmitter {
  destroy?: () => void;
  end?: (written: () => void) => void;
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

export async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
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
