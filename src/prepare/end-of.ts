/**
 * How the update boot ends. `auto` is decided by what changes and by what this machine owes already; the update boot looks
 * again at what really did (update-service/soft-reboot-enough.ts).
 */
import { asUpdateError } from '../update/errors.js';
import type { Action, UpdateEvent, WayIn, WayOut } from '../update/events.js';
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

export interface BothWays extends End {
  wayIn: WayIn;
}

/**
 * At its time logind announces the reboot and leads there, by a full one: more may be owed by then, and it does all that a soft
 * one does, which is our service's own and only for who wishes for it (docs/when.md).
 */
export function announced(ways: BothWays): BothWays {
  const isWished = ways.action === 'soft-reboot' && ways.because === null;
  return isWished ? ways : { ...ways, wayIn: 'reboot' };
}

/** The row that arms an update, or gives one that is armed another end. */
export function armedEvent(
  planHash: string,
  trigger: string,
  { action, because, wayIn }: BothWays,
): UpdateEvent {
  return { event: 'armed', planHash, action, trigger, ...(because !== null && { because }), wayIn };
}

export type EndFacts = Pick<HostFacts, 'systemdVersion' | 'runningSystem'>;

/**
 * What changes can ask for a full reboot on the way out alone: into the update boot a soft one leads as well, unless this
 * machine owes a full one already. Who wishes for a reboot has it on both ways.
 */
export async function endOf(
  online: Pick<Online, 'fs' | 'paths'>,
  { payload: { changes }, policy }: Pick<Plan, 'payload' | 'policy'>,
  wish: Action,
  facts: EndFacts,
): Promise<BothWays> {
  switch (wish) {
    case 'reboot':
      return { action: wish, because: null, wayIn: wish };
    case 'poweroff': {
      // Where there is no systemd to ask, this is known all the same.
      const asking = facts.systemdVersion().then((version) => whyFullReboot(online, facts, version));
      const full = await asking.catch(() => 'not known');
      return { action: wish, because: null, wayIn: full === undefined ? 'soft-reboot' : 'reboot' };
    }
    case 'soft-reboot': {
      const because = withoutSoftReboot(await facts.systemdVersion());
      // It does all that a soft-reboot does; and a fleet has one policy.
      if (because !== undefined) return { action: 'reboot', because, wayIn: 'reboot' };
      return { action: wish, because: null, wayIn: wish };
    }
    case 'auto': {
      const systemdVersion = await facts.systemdVersion();
      const kind = rebootKindOf(changes, systemdVersion);
      const full = await whyFullReboot(online, facts, systemdVersion);
      const wayIn = full === undefined ? 'soft-reboot' : 'reboot';
      if (kind.action === 'soft-reboot')
        return full === undefined ? { ...kind, wayIn } : { action: 'reboot', because: full, wayIn };
      const isForKexec = policy.kexec === 'allow' && bringsKernel(changes);
      return { ...(isForKexec ? await kexecFor(online, changes, facts, kind.because) : kind), wayIn };
    }
  }
}

/** Whatever changes: why a soft-reboot cannot be, or is not enough already. */
async function whyFullReboot(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  facts: Pick<EndFacts, 'runningSystem'>,
  systemdVersion: number,
): Promise<string | undefined> {
  return withoutSoftReboot(systemdVersion) ?? (await owedReboot(fs, paths.root, () => facts.runningSystem()));
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
