/**
 * How the update boot ends. `auto` is decided by what changes and by what this machine owes already; the update boot looks
 * again at what really did (update-service/soft-reboot-enough.ts).
 */
import type { Action } from '../update/events.js';
import { owedReboot } from '../update/owed-reboot.js';
import type { PayloadPlan } from '../update/plan.js';
import { rebootKindOf } from '../update/reboot-kind.js';
import type { HostFacts } from './host-facts.js';
import type { Online } from './online.js';

export interface End {
  action: Action;
  /** Why `auto` became this action; null when it was wished for. */
  because: string | null;
}

/** A soft-reboot is enough on the way in where it is on the way out. */
export function wayIn(action: Action | null): 'reboot' | 'soft-reboot' {
  return action === 'soft-reboot' ? 'soft-reboot' : 'reboot';
}

export type EndFacts = Pick<HostFacts, 'systemdVersion' | 'runningSystem'>;

export async function endOf(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  { changes }: PayloadPlan,
  wish: Action,
  facts: EndFacts,
): Promise<End> {
  if (wish !== 'auto') return { action: wish, because: null };
  const kind = rebootKindOf(changes, await facts.systemdVersion());
  if (kind.action === 'reboot') return kind;
  const owed = await owedReboot(fs, paths.root, () => facts.runningSystem());
  return owed === undefined ? kind : { action: 'reboot', because: owed };
}
