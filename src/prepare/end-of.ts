/**
 * How the update boot ends. `auto` is decided by what changes and by what this machine owes already; the update boot looks
 * again at what really did (update-service/soft-reboot-enough.ts).
 */
import { asUpdateError } from '../update/errors.js';
import type { Action, WayIn, WayOut } from '../update/events.js';
import { kexecObstacle, withoutKexec } from '../update/kexec.js';
import { nextEntry } from '../update/next-entry.js';
import { owedReboot } from '../update/owed-reboot.js';
import type { Plan } from '../update/plan.js';
import { bringsKernel, rebootKindOf, withoutSoftReboot } from '../update/reboot-kind.js';
import type { HostFacts } from './host-facts.js';
import type { Online } from './online.js';

export interface End {
  action: WayOut;
  /** Why `auto` became this action, or a soft-reboot cannot be; null when it is as it was wished. */
  because: string | null;
}

/** A soft-reboot is enough on the way in where it is on the way out. */
export function wayIn(action: WayOut | null): WayIn {
  return action === 'soft-reboot' ? 'soft-reboot' : 'reboot';
}

export type EndFacts = Pick<HostFacts, 'systemdVersion' | 'runningSystem'>;

export async function endOf(
  online: Pick<Online, 'fs' | 'paths'>,
  { payload: { changes }, policy }: Pick<Plan, 'payload' | 'policy'>,
  wish: Action,
  facts: EndFacts,
): Promise<End> {
  if (wish === 'soft-reboot') {
    const because = withoutSoftReboot(await facts.systemdVersion());
    // It does all that a soft-reboot does; and a fleet has one policy.
    if (because !== undefined) return { action: 'reboot', because };
  }
  if (wish !== 'auto') return { action: wish, because: null };
  const kind = rebootKindOf(changes, await facts.systemdVersion());
  if (kind.action === 'reboot')
    return policy.kexec === 'allow' && bringsKernel(changes)
      ? kexecFor(online, changes, facts, kind.because)
      : kind;
  const { fs, paths } = online;
  const owed = await owedReboot(fs, paths.root, () => facts.runningSystem());
  return owed === undefined ? kind : { action: 'reboot', because: owed };
}

/** As foretold: the update boot looks again, and loads what GRUB would start then. */
async function kexecFor(
  { fs, paths: { root } }: Pick<Online, 'fs' | 'paths'>,
  changes: Plan['payload']['changes'],
  facts: EndFacts,
  because: string,
): Promise<End> {
  try {
    const next =
      (await kexecObstacle(fs, root, await facts.runningSystem(), changes)) ?? (await nextEntry(fs, root));
    return typeof next === 'string'
      ? { action: 'reboot', because: withoutKexec(because, next) }
      : { action: 'kexec', because };
  } catch (error) {
    return { action: 'reboot', because: withoutKexec(because, asUpdateError(error).message) };
  }
}
