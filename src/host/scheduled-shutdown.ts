/**
 * A shutdown that logind begins at a time, with its own warnings to everybody who is logged in (wall(1)) and no new
 * log-ins in the last five minutes; shutdown(8) shows and cancels the same. There is at most one, and a new one replaces it.
 * It does not outlive a boot.
 *
 * Errors: `POWER_INHIBITED` when a block inhibitor forbids it (v257); `BUS_*`.
 */
import { callOnce, propertyCall, type BusCall } from './bus.js';
import { HostError, isHostError } from './host-error.js';
import { BLOCKED_BY_INHIBITOR, logind } from './logind.js';

export interface ScheduledShutdown {
  /** `reboot`, `soft-reboot`, `poweroff`, ..., with `dry-` before it where nothing will happen. */
  type: string;
  at: Date;
}

/** Undefined when there is none, or no logind. */
export async function scheduledShutdown(address?: string): Promise<ScheduledShutdown | undefined> {
  try {
    const [property] = (await call(propertyCall(logind, 'ScheduledShutdown'), address)) as [
      { value?: unknown }?,
    ];
    const [type, microseconds] = (property?.value ?? ['', 0n]) as [string, bigint];
    if (type === '' || microseconds === 0n || microseconds === NEVER) return undefined;
    return { type, at: new Date(Number(microseconds / 1000n)) };
  } catch (error) {
    if (isHostError(error, 'BUS_ABSENT', 'BUS_REFUSED')) return undefined;
    throw error;
  }
}

/**
 * `message` stands above what logind says itself. Never for a soft-reboot: what logind keeps of it, in /run, is found by the
 * logind that starts after it, which begins it again, and again (v257).
 */
export async function scheduleReboot(at: Date, message: string, address?: string): Promise<void> {
  await call({ ...logind, member: 'SetWallMessage', signature: 'sb', body: [message, true] }, address);
  try {
    const body = ['reboot', BigInt(at.getTime()) * 1000n];
    await call({ ...logind, member: 'ScheduleShutdown', signature: 'st', body }, address);
  } catch (error) {
    if (!isHostError(error, 'BUS_REFUSED') || error.busErrorName !== BLOCKED_BY_INHIBITOR) throw error;
    throw new HostError('POWER_INHIBITED', error.message, { cause: error });
  }
}

/** False when there was none. */
export async function cancelScheduledShutdown(address?: string): Promise<boolean> {
  const [cancelled] = await call({ ...logind, member: 'CancelScheduledShutdown' }, address);
  // After it, so that the same words do not stand above the next person's shutdown.
  await call({ ...logind, member: 'SetWallMessage', signature: 'sb', body: ['', true] }, address);
  return cancelled === true;
}

const DEADLINE_MILLISECONDS = 5_000;
const NEVER = 0xffff_ffff_ffff_ffffn;

function call(request: BusCall, address?: string): Promise<unknown[]> {
  return callOnce(request, address, DEADLINE_MILLISECONDS);
}
