/**
 * The state machine of one update. The state is nothing but the fold of the journal's events; the
 * table `transitions` is the diagram of docs/states.md, and a test compares both.
 */
import { UpdateError } from './errors.js';
import type { EventName, FallbackNote, Reason, UpdateEvent, WayIn, WayOut } from './events.js';

interface Armed {
  planHash: string;
  action: WayOut;
  /** Why `auto` became this action; null when it was wished for. */
  because: string | null;
  /** Which reboot is to lead into the update boot. */
  wayIn: WayIn;
  trigger: string;
  /** Boot in which it was armed: seen from another boot, an armed update without its link never ran. */
  armedIn: string;
}
interface Claimed extends Armed {
  attempt: number;
  /** Boot of the newest attempt. */
  claimedIn: string;
}

export type UpdateState =
  | { name: 'none' }
  | { name: 'prepared'; planHash: string }
  | ({ name: 'armed' } & Armed)
  | { name: 'stale'; reason: Reason }
  | ({ name: 'claimed' } & Claimed)
  | { name: 'refused'; reason: Reason }
  | ({ name: 'installing'; fallback: FallbackNote | null } & Claimed)
  | ({ name: 'installed'; fallback: FallbackNote | null } & Claimed)
  | { name: 'failed'; reason: Reason; healed: boolean }
  | { name: 'reverted'; reason: Reason }
  | { name: 'confirmed' }
  | { name: 'blocked'; reason: Reason };

export type StateName = UpdateState['name'];

/** Ends of an update: nothing of ours is left to do, in any boot. */
export const verdicts = [
  'confirmed',
  'refused',
  'reverted',
  'failed',
  'blocked',
] as const satisfies StateName[];
export type Verdict = (typeof verdicts)[number];

export function isVerdict(name: StateName): name is Verdict {
  return (verdicts as readonly StateName[]).includes(name);
}

interface Transition {
  from: readonly StateName[];
  to: StateName;
}

export const transitions: Record<EventName, Transition> = {
  prepared: { from: ['none'], to: 'prepared' },
  // armed once more: with another wished end
  armed: { from: ['prepared', 'armed'], to: 'armed' },
  cancelled: { from: ['armed'], to: 'prepared' },
  stale: { from: ['prepared', 'armed'], to: 'stale' },
  claimed: { from: ['armed', 'claimed'], to: 'claimed' },
  refused: { from: ['armed', 'claimed'], to: 'refused' },
  installing: { from: ['claimed'], to: 'installing' },
  resumed: { from: ['installing'], to: 'installing' },
  installed: { from: ['installing'], to: 'installed' },
  failed: { from: ['installing', 'installed', 'reverted'], to: 'failed' },
  reverted: { from: ['claimed', 'installing', 'installed'], to: 'reverted' },
  confirmed: { from: ['installed'], to: 'confirmed' },
  blocked: { from: ['claimed', 'installing', 'installed', 'failed'], to: 'blocked' },
};

/** The state after `event`, which happened in the boot `bootId`. Errors: `WRONG_STATE`. */
export function advance(state: UpdateState, event: UpdateEvent, bootId: string): UpdateState {
  const { from } = transitions[event.event];
  if (!from.includes(state.name)) {
    throw new UpdateError(
      'WRONG_STATE',
      `an update that is ${said(state.name)} cannot become ${event.event}`,
      {
        hint: 'offline-update status',
      },
    );
  }
  return next(state, event, bootId);
}

function next(state: UpdateState, event: UpdateEvent, bootId: string): UpdateState {
  switch (event.event) {
    case 'prepared':
      return { name: 'prepared', planHash: event.planHash };
    case 'armed':
      return {
        name: 'armed',
        planHash: event.planHash,
        action: event.action,
        because: event.because ?? null,
        // before it was decided for itself, it was as on the way out
        wayIn: event.wayIn ?? (event.action === 'soft-reboot' ? 'soft-reboot' : 'reboot'),
        trigger: event.trigger,
        armedIn: bootId,
      };
    case 'cancelled':
      return { name: 'prepared', planHash: armed(state).planHash };
    case 'claimed':
      return { ...armed(state), name: 'claimed', attempt: event.attempt, claimedIn: bootId };
    case 'installing':
      return { ...claimed(state), name: 'installing', fallback: event.fallback };
    case 'resumed':
      return { ...installing(state), attempt: event.attempt, claimedIn: bootId };
    case 'installed':
      return { ...installing(state), name: 'installed' };
    case 'failed':
      return { name: 'failed', reason: event.reason, healed: event.healed };
    case 'confirmed':
      return { name: 'confirmed' };
    case 'stale':
    case 'refused':
    case 'reverted':
    case 'blocked':
      return { name: event.event, reason: event.reason };
  }
}

function armed(state: UpdateState): Armed {
  if (state.name !== 'armed' && state.name !== 'claimed') throw impossible(state);
  const { planHash, action, because, wayIn, trigger, armedIn } = state;
  return { planHash, action, because, wayIn, trigger, armedIn };
}

function claimed(state: UpdateState): Claimed {
  if (state.name !== 'claimed') throw impossible(state);
  const { attempt, claimedIn } = state;
  return { ...armed(state), attempt, claimedIn };
}

function installing(state: UpdateState): Extract<UpdateState, { name: 'installing' }> {
  if (state.name !== 'installing') throw impossible(state);
  return state;
}

/** `transitions` let a state through whose payload is missing: a fault of this file. */
function impossible(state: UpdateState): UpdateError {
  return new UpdateError('INTERNAL', `the state ${state.name} lacks what its transition needs`);
}

function said(name: StateName): string {
  return name === 'none' ? 'not prepared' : name;
}
