/**
 * The ladder: one rung after the other is asked for the same end, until one says yes.
 *
 * A rung that gives no answer (the bus went away, no reply in time) does **not** count as done, though the request may
 * be running: to ask again for the same end is harmless, PID 1 merges equal jobs; to believe in a request that was
 * lost leaves the machine in the update boot for ever. For the same reason the caller must treat `POWER_REFUSED` as
 * failure and exit non-zero: `FailureAction=` is skipped when a shutdown is under way already (systemd 246 and newer).
 *
 * Errors: `POWER_REFUSED` when no rung worked (its cause holds every rung's error); `POWER_INHIBITED` at once from a
 * rung that was told to respect inhibitors.
 */
import { HostError, isHostError } from './host-error.js';

export type PowerAction = 'reboot' | 'poweroff' | 'soft-reboot' | 'kexec';

export interface PowerRung {
  name: string;
  /** Throws when it did not work, or when nobody knows whether it did. */
  ask(action: PowerAction): Promise<void>;
}

/** Resolves with the name of the rung that worked. The request is queued then, not done. */
export function powerLadder(
  rungs: readonly PowerRung[],
  log: (line: string) => void,
): (action: PowerAction) => Promise<string> {
  return async (action) => {
    const errors: unknown[] = [];
    for (const rung of rungs) {
      try {
        await rung.ask(action);
        log(`${action} asked for: ${rung.name}`);
        return rung.name;
      } catch (error) {
        log(
          `${action} not possible by ${rung.name}: ${error instanceof Error ? error.message : String(error)}`,
        );
        if (isHostError(error, 'POWER_INHIBITED')) throw error;
        errors.push(error);
      }
    }
    throw new HostError('POWER_REFUSED', `nobody on this machine will ${action}`, {
      cause: new AggregateError(errors),
    });
  };
}

export { systemPowerRungs } from './power-rungs.js';
export type { SystemPowerOptions } from './power-rungs.js';
