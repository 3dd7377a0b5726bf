/**
 * Looks until the boot is over and all is well, or something is broken for good, or the deadline has passed. Failed
 * units are judged only when the normal target is reached, since the boot itself may start one again.
 *
 * A loop, since nothing else tells: `systemctl is-system-running --wait` would wait for the very job that asks.
 */
import type { NetworkInterface } from '../../host/network-state.js';
import type { UnitState } from '../../host/unit-states.js';
import type { Baseline } from '../../update/baseline.js';
import type { Policy } from '../../update/policy.js';
import { failed, passed, warned, type CheckResult } from './check-result.js';
import { both, lookAtBoot, lookAtNetwork, lookAtUnits, waitsForNetwork, type Look } from './look.js';
import type { MachineHealth } from './machine-health.js';

export interface Deadline {
  /** On the monotonic clock. */
  atSeconds: number;
  /** As the policy says it, for the words. */
  afterSeconds: number;
}

const lookEverySeconds = 0.5;
/** Two looks with nobody at work: the rest of the boot waits for this verdict, and is not waited for. */
const IDLE_LOOKS = 2;
const nothing: Look = { broken: [], pending: [], units: [] };

/** Undefined when this boot is no longer one to be judged. */
export async function watchBoot(
  machine: MachineHealth,
  baseline: Baseline | undefined,
  deadline: Deadline,
  network: Policy['confirmNetwork'] = 'require',
): Promise<CheckResult[] | undefined> {
  for (let idleLooks = 0; ;) {
    if (!(await isJudged(machine))) return undefined;
    const looks = await look(machine, baseline, network);
    if (network === 'ignore') looks.network = nothing;
    idleLooks = looks.boot.units.length === 0 ? idleLooks + 1 : 0;
    if (idleLooks >= IDLE_LOOKS) looks.boot = nothing;
    const isLate = machine.monotonicSeconds() >= deadline.atSeconds;
    const isPending = Object.values(looks).some(({ pending }) => pending.length > 0);
    const isBroken = looks.boot.pending.length === 0 && looks.units.broken.length > 0;
    if (isLate || isBroken || !isPending) {
      const late = isLate ? deadline : undefined;
      const results = Object.entries(looks).map(([check, seen]) => resultOf(machine, check, seen, late));
      return (await Promise.all(results)).map((result) => heedNetwork(result, network));
    }
    await machine.pause(lookEverySeconds);
  }
}

const SWITCHES =
  'Where the network may come late or stay away: a longer confirmDeadlineSeconds, or confirmNetwork = "warn", ' +
  'in /etc/offline-update/config.toml, and prepare again.';

/** A laptop away from its network is no broken update; a server that cannot be reached is. The policy says which it is. */
function heedNetwork(result: CheckResult, network: Policy['confirmNetwork']): CheckResult {
  const { check, outcome, message } = result;
  if (check !== 'network' || outcome !== 'failed') return result;
  return { ...(network === 'warn' ? warned : failed)(check, message), advice: SWITCHES };
}

/** In rescue and emergency mode units are missing by intention, and while stopping they end in any way. */
export async function isJudged(machine: Pick<MachineHealth, 'systemState'>): Promise<boolean> {
  // A systemctl that does not answer is one more thing that is wrong, and no reason to come to no verdict.
  const systemState = await machine.systemState().catch(() => '');
  return systemState !== 'maintenance' && systemState !== 'stopping';
}

type Looks = Record<'boot' | 'units' | 'network', Look>;

async function look(
  machine: MachineHealth,
  baseline: Baseline | undefined,
  network: Policy['confirmNetwork'],
): Promise<Looks> {
  const looks: Looks = { boot: nothing, units: nothing, network: nothing };
  const [units, interfaces] = await Promise.allSettled([machine.units(), machine.network()]);
  const monotonicSeconds = machine.monotonicSeconds();
  // Where it could not be read before the update, no baseline was taken.
  if (baseline) looks.network = networkLook(interfaces, baseline);
  if (units.status === 'rejected') return { ...looks, units: unseen('the units', units.reason) };
  looks.boot = lookAtBoot(units.value);
  if (!baseline) return looks;
  // Without a network they fail, which is held against the update no more than the missing network itself.
  const isNetwork = (unit: UnitState): boolean => network !== 'require' && waitsForNetwork(unit);
  const ofUnits = (judged: UnitState[]): Look => lookAtUnits({ units: judged, monotonicSeconds }, baseline);
  looks.units = ofUnits(units.value.filter((unit) => !isNetwork(unit)));
  looks.network = both(looks.network, ofUnits(units.value.filter(isNetwork)));
  return looks;
}

function networkLook(seen: PromiseSettledResult<NetworkInterface[]>, baseline: Baseline): Look {
  return seen.status === 'rejected'
    ? unseen('the network', seen.reason)
    : lookAtNetwork(seen.value, baseline);
}

/** It may be a moment only: waited for, until the deadline. */
function unseen(what: string, error: unknown): Look {
  const why = error instanceof Error ? error.message : String(error);
  return { broken: [], pending: [`${what} cannot be looked at: ${why}`], units: [] };
}

/** `late`: what is pending now has failed. */
async function resultOf(
  machine: MachineHealth,
  check: string,
  { broken, pending, units }: Look,
  late: Deadline | undefined,
): Promise<CheckResult> {
  const said = [...broken, ...(late ? pending.map((what) => `after ${late.afterSeconds} s ${what}`) : [])];
  if (said.length === 0) return passed(check);
  const output = units.length === 0 ? '' : await machine.describe(units).catch(String);
  return failed(check, said.join('; '), output);
}
