/**
 * How the machine is left: as it was wished, or as `auto` has decided, with a second look at what the install really
 * changed. Nothing here rejects.
 */
import { changedParts, readEarlyParts } from '../update/early-parts.js';
import type { WayOut } from '../update/events.js';
import { withoutKexec } from '../update/kexec.js';
import type { NextEntry } from '../update/next-entry.js';
import type { Plan } from '../update/plan.js';
import type { StateName } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import { nextKernel } from './kexec.js';
import type { Ports } from './ports.js';
import { watchForFullReboot } from './soft-reboot-enough.js';

export interface Leaving {
  way: Exclude<WayOut, 'kexec'>;
  because?: string;
  /** Where a kexec takes the place of the reboot: what is to be loaded for it. */
  kernel?: NextEntry;
}

const stays: Leaving = {
  way: 'reboot',
  because: 'a soft-reboot would stay in the root that is given up',
};

/** Called before the first change; what it returns is called after the last one, with the state that it came to. */
export async function watchWayOut(
  ports: Ports,
  update: KnownUpdate,
  { action, because }: { action: WayOut; because: string | null },
): Promise<(outcome: StateName) => Promise<Leaving>> {
  if (action === 'soft-reboot') {
    // A person's wish is carried out as it was said.
    const whyFull = because === null ? undefined : await watchForFullReboot(ports);
    return async (outcome) => {
      if (outcome === 'reverted') return stays;
      const full = await whyFull?.();
      return full === undefined ? { way: action } : { way: 'reboot', because: full };
    };
  }
  // `auto` alone comes to a kexec, and says why.
  if (action !== 'kexec' || because === null)
    return () => Promise.resolve({ way: action === 'kexec' ? 'reboot' : action });
  const kernelOf = await watchForKernel(ports, update);
  return async (outcome) => {
    const kernel = await kernelOf?.(outcome);
    if (kernel === undefined) return { way: 'reboot', because };
    if (typeof kernel === 'string') return { way: 'reboot', because: withoutKexec(because, kernel) };
    return { way: 'reboot', because, kernel };
  };
}

type KernelOf = (outcome: StateName) => Promise<NextEntry | string>;

/** Undefined where the policy wants no kexec. */
async function watchForKernel(ports: Ports, update: KnownUpdate): Promise<KernelOf | undefined> {
  // One that cannot be read ends the attempt, which says so.
  const plan: Plan | undefined = await ports.store.readPlan(update).catch(() => undefined);
  if (plan?.policy.kexec !== 'allow') return undefined;
  const look = () => readEarlyParts(ports.fs, ports.paths.root).catch(() => undefined);
  const before = await look();
  return async (outcome) => {
    if (outcome !== 'installed') return `the update is ${outcome}`;
    const after = await look();
    if (!before || !after) return 'what changed cannot be told';
    return nextKernel(ports, plan.payload.changes, changedParts(before, after));
  };
}
