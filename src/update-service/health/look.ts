/** The built-in checks as one look at the machine: what is wrong for good, and what may still become right. */
import type { NetworkInterface } from '../../host/network-state.js';
import type { UnitState } from '../../host/unit-states.js';
import { isFailed, isUnsteady, nameOf, type Baseline, type HealthFacts } from '../../update/baseline.js';

export interface Look {
  /** Sentences; empty when all is well. */
  broken: string[];
  pending: string[];
  /** The units that are meant. */
  units: string[];
}

/** The normal targets: whichever of them this boot is led to. */
const normalTargets = ['multi-user.target', 'default.target'];

/** Its job runs while we look. */
const OWN_UNIT = 'offline-update-confirm.service';

/** Has the boot come to its normal target? What is at work on the way there is named. */
export function lookAtBoot(units: readonly UnitState[]): Look {
  const missing = units.filter(
    ({ names, active, job }) =>
      job !== undefined && active !== 'active' && names.some((name) => normalTargets.includes(name)),
  );
  if (missing.length === 0) return { broken: [], pending: [], units: [] };
  const atWork = units
    .filter(({ job }) => job === 'running')
    .map(nameOf)
    .filter((name) => name !== OWN_UNIT);
  const still = atWork.length === 0 ? '' : ` (systemd is at work on ${atWork.join(' ')})`;
  return { broken: [], pending: [`${missing.map(nameOf).join(' and ')} not reached${still}`], units: atWork };
}

/** Units that are failed, or do not stay up, and were well when the update was armed. */
export function lookAtUnits(
  { units, monotonicSeconds }: Omit<HealthFacts, 'interfaces'>,
  { failedUnits }: Baseline,
): Look {
  const judged = units.filter((unit) => !failedUnits.includes(nameOf(unit)));
  const failed = judged.filter(isFailed).map(nameOf);
  const unsteady = judged.filter((unit) => isUnsteady(unit, monotonicSeconds)).map(nameOf);
  return {
    broken: failed.map((name) => `${name} is failed, and was not before the update`),
    pending: unsteady.map((name) => `${name} does not stay up`),
    units: [...failed, ...unsteady],
  };
}

/** Brings the network up, or waits for it (ifupdown, NetworkManager, systemd-networkd): fails where there is none. */
export function waitsForNetwork(unit: UnitState): boolean {
  return /^(?:networking|ifup@.*|.*-wait-online(?:@.*)?)\.service$/.test(nameOf(unit));
}

export function both(a: Look, b: Look): Look {
  return {
    broken: [...a.broken, ...b.broken],
    pending: [...a.pending, ...b.pending],
    units: [...a.units, ...b.units],
  };
}

/**
 * The network as far as it was up before: a default route of each family, whatever it leads through, and an address of
 * each family on each interface with a carrier. Bridges, tunnels and the like come and go: only while they are there.
 */
export function lookAtNetwork(now: readonly NetworkInterface[], { interfaces }: Baseline): Look {
  const pending: string[] = [];
  const routesBefore = new Set(interfaces.flatMap(({ defaultRoutes }) => defaultRoutes));
  for (const family of routesBefore) {
    if (!now.some(({ defaultRoutes }) => defaultRoutes.includes(family)))
      pending.push(`no ${family} default route`);
  }
  for (const before of interfaces.filter(({ hasCarrier }) => hasCarrier)) {
    const found = now.find(({ name }) => name === before.name);
    if (!found && !before.isHardware) continue;
    if (!found && before.addresses.length > 0) pending.push(`the interface ${before.name} is gone`);
    for (const family of found ? before.addresses : []) {
      if (!found?.addresses.includes(family)) pending.push(`${before.name} has no ${family} address`);
    }
  }
  return { broken: [], pending, units: [] };
}
