/**
 * What stands in the way of a reboot right now and may pass: looked at before the costly checks, as often as the time
 * allows. Locks only warn a person, who may go on by force; a machine alone waits.
 */
import type { Finding } from '../../update/finding.js';
import type { TriggerOptions } from '../examine.js';
import { lockHeld } from '../preflight/lock-held.js';
import { inhibitors } from '../preflight/machine/inhibitors.js';
import { powerSupply } from '../preflight/machine/power-supply.js';
import { blocks, preflight } from '../preflight/preflight.js';
import type { Scheduler } from './scheduler.js';
import { zonedText } from '../../update/zoned-time.js';

export async function hindrances(
  { machine }: Pick<TriggerOptions, 'machine'>,
  scheduler: Scheduler,
  whenIdle: boolean,
): Promise<Finding[]> {
  const context = { ...machine, staged: undefined };
  const [blocking, locked, shutdown, isIdle, isStarting, secondsUp] = await Promise.all([
    preflight(context, [powerSupply]).then(blocks),
    locks({ machine }),
    scheduler.shutdown(),
    whenIdle ? machine.facts.isIdle() : true,
    machine.facts.isStarting(),
    machine.facts.secondsUp(),
  ]);
  const found = [...blocking, ...locked];
  if (shutdown) {
    found.push({
      check: 'shutdown-scheduled',
      severity: 'block',
      evidence: `somebody has scheduled a ${shutdown.type} for ${zonedText(shutdown.at)}`,
      remedy: 'shutdown -c',
    });
  }
  if (!isIdle) {
    found.push({
      check: 'not-idle',
      severity: 'block',
      evidence: 'somebody is using the machine',
      remedy: 'wait, or: offline-update trigger --now',
    });
  }
  if (isStarting && !isSettled(secondsUp)) {
    // A unit that fails only minutes after each boot would be laid at the update's door (docs/health.md).
    found.push({
      check: 'starting',
      severity: 'block',
      evidence: 'the machine is still starting',
      remedy: 'systemctl list-jobs',
    });
  }
  if (whenIdle && !isSettled(secondsUp)) {
    found.push({
      check: 'just-started',
      severity: 'block',
      evidence: 'the machine has just been started, and somebody may be about to use it',
      remedy: 'wait, or: offline-update trigger --now',
    });
  }
  return found;
}

/** Who forbids a shutdown, or would be ended by it in the midst of packages (invariant 10). */
export function locks({ machine }: Pick<TriggerOptions, 'machine'>): Promise<Finding[]> {
  return preflight({ ...machine, staged: undefined }, [inhibitors, lockHeld]);
}

/**
 * Nobody is there in the first minutes of a boot, which is no sign that nobody will come: they switched it on. And a boot
 * that is not through by then hangs, and is waited for no longer.
 */
const SETTLED_SECONDS = 900;

/** Undefined, not known: better a look later. */
export function isSettled(secondsUp: number | undefined): boolean {
  return secondsUp !== undefined && secondsUp >= SETTLED_SECONDS;
}
