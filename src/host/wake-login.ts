/**
 * Starts logind by asking it for nothing. In the update boot of a large update neither it nor the bus runs before the
 * first call, which then waits for both to start (0.04 to 0.1 s, measured): so it is woken while something else still has to
 * be done, and the real request finds it awake. For a small one units/begin has started it.
 *
 * Never throws: whoever really asks (power-rungs.ts) has other ways when nobody answers.
 */
import { systemBusAddress } from './bus-address.js';
import { logind } from './logind.js';

export async function wakeLogin(
  busAddress = systemBusAddress(),
  deadlineMilliseconds = 5_000,
): Promise<void> {
  try {
    const { callOnce } = await import('./bus.js');
    await callOnce(ping, busAddress, deadlineMilliseconds);
  } catch {
    // told by the ladder, when it meets the same
  }
}

const ping = { ...logind, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
