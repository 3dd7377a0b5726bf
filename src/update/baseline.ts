/**
 * `baseline.json` in the history of an update (format 1): how healthy the machine was when the update was armed. The
 * checks after it compare with this, so that what was broken before condemns no update (docs/health.md).
 */
import * as z from 'zod/mini';
import type { FileSystem } from '../host/file-system.js';
import { ifThere } from '../host/if-there.js';
import type { NetworkInterface } from '../host/network-state.js';
import type { UnitState } from '../host/unit-states.js';
import { parseDocument } from './document.js';

const BASELINE_FORMAT = 1;

const families = z.array(z.enum(['IPv4', 'IPv6']));

export const baselineSchema = z.strictObject({
  format: z.literal(BASELINE_FORMAT),
  /** Failed, or restarted so lately that they could not be called up. */
  failedUnits: z.array(z.string()),
  interfaces: z.array(
    z.strictObject({
      name: z.string(),
      isHardware: z.boolean(),
      hasCarrier: z.boolean(),
      addresses: families,
      defaultRoutes: families,
    }),
  ),
});

export type Baseline = z.infer<typeof baselineSchema>;

export interface HealthFacts {
  units: readonly UnitState[];
  interfaces: readonly NetworkInterface[];
  /** When the units were looked at, on the monotonic clock. */
  monotonicSeconds: number;
}

export function baselineText({ units, interfaces, monotonicSeconds }: HealthFacts): string {
  const baseline: Baseline = {
    format: BASELINE_FORMAT,
    failedUnits: units.filter((unit) => isFailed(unit) || isUnsteady(unit, monotonicSeconds)).map(nameOf),
    interfaces: [...interfaces],
  };
  return `${JSON.stringify(baseline, null, 1)}\n`;
}

/** Undefined when none was taken. Errors: `BASELINE_INVALID`, `FORMAT_TOO_NEW`. */
export async function readBaseline(fs: FileSystem, path: string): Promise<Baseline | undefined> {
  const text = await ifThere(fs.readFile(path));
  if (text === undefined) return undefined;
  return parseDocument(text, {
    what: 'the baseline',
    schema: baselineSchema,
    format: BASELINE_FORMAT,
    invalid: 'BASELINE_INVALID',
    hint: 'offline-update report',
  });
}

/** Transient units are a person's or a program's doing of the moment, and no part of what is installed. */
export function isFailed({ active, isTransient }: UnitState): boolean {
  return active === 'failed' && !isTransient;
}

/** As long as systemd itself counts starts before it gives a unit up (DefaultStartLimitIntervalSec=). */
const STEADY_AFTER_SECONDS = 10;

/** systemd had to start it again, and whether it stays up this time cannot be told yet. */
export function isUnsteady(unit: UnitState, monotonicSeconds: number): boolean {
  if (unit.isTransient || unit.active === 'failed') return false;
  if (unit.sub.startsWith('auto-restart')) return true;
  if (unit.restarts === 0 || unit.active === 'inactive') return false;
  return monotonicSeconds - (unit.activeSinceSeconds ?? monotonicSeconds) < STEADY_AFTER_SECONDS;
}

export function nameOf({ names }: UnitState): string {
  return names[0] ?? '';
}
