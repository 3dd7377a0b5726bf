/**
 * What can happen to an update. Each is one row of its journal, durable before the effect that it announces
 * (invariant 3). Events change the state (state.ts); notes only inform the report.
 */
import type { UpdateErrorCode } from './errors.js';

/** The wished end of the update boot; `auto` is decided by what changes and what the machine owes. */
export const actions = ['auto', 'reboot', 'soft-reboot', 'poweroff'] as const;
export type Action = (typeof actions)[number];

/** The reboot that leads into it. */
export type WayIn = Extract<Action, 'reboot' | 'soft-reboot'>;

/** What became of it: of a full reboot that `auto` has come to, a kexec where that is allowed and possible. */
export type WayOut = Action | 'kexec';

export interface Reason {
  code: UpdateErrorCode;
  message: string;
}

/** What a snapshot provider needs to find its fallback again. */
export interface FallbackNote {
  provider: string;
  reference: string;
  /** What is changed in its place although the fallback is armed. */
  inPlace?: string;
}

/**
 * Whether the package manager's own syncs reach the disks. Suppressed only while a fallback boots next, and then all
 * file systems are synced before `installed`.
 */
export type Syncs = 'kept' | 'suppressed';

export type UpdateEvent =
  | { event: 'prepared'; planHash: string }
  /** `because`: why it became this action; absent when it is as a person wished. `wayIn`: see state.ts where it is absent. */
  | { event: 'armed'; planHash: string; action: WayOut; trigger: string; because?: string; wayIn?: WayIn }
  | { event: 'cancelled'; reason: string }
  | { event: 'stale'; reason: Reason }
  | { event: 'claimed'; attempt: number }
  | { event: 'refused'; reason: Reason }
  | { event: 'installing'; attempt: number; fallback: FallbackNote | null; syncs?: Syncs }
  | { event: 'resumed'; attempt: number }
  | { event: 'installed'; attempt: number }
  | { event: 'failed'; reason: Reason; healed: boolean }
  | { event: 'reverted'; reason: Reason }
  | { event: 'confirmed' }
  | { event: 'blocked'; reason: Reason };

export type EventName = UpdateEvent['event'];

/** The steps of an attempt; their order: update-service/phases.ts. */
export type PhaseName =
  'check' | 'before' | 'snapshot' | 'install' | 'heal' | 'verify' | 'after' | 'commit' | 'revert';

/** Told, but no change of state: phases and their seconds, findings, evidence, the way the machine was left. */
export type Note =
  | { note: 'phase'; phase: PhaseName; outcome: 'done' | 'failed'; seconds: number }
  | { note: 'finding'; check: string; message: string }
  | { note: 'conffile'; path: string; leftover: string }
  /** `output`: empty; what it printed stands in the terminal log, since everybody may read this. */
  | { note: 'hook'; path: string; exitCode: number; output: string }
  | {
      note: 'health';
      check: string;
      outcome: 'passed' | 'failed' | 'warned';
      /** One sentence; empty when passed. */
      message: string;
      /** What to do about it; what was printed stands in the terminal log, since everybody may read this. */
      output: string;
    }
  /** Of an installed update that made the machine unhealthy: `switched` when the fallback boots next. */
  | { note: 'reverting'; step: 'decided' | 'switched'; reason: Reason }
  | { note: 'estimate'; downSeconds: number; installSeconds: number; upSeconds: number }
  | { note: 'away'; downSeconds: number | null; installSeconds: number | null; upSeconds: number | null }
  /** When it is to be installed; `until` null: whenever the machine is idle. */
  | { note: 'scheduled'; at: string; until: string | null }
  | { note: 'unscheduled'; reason: string }
  /** Its time came and it was not armed; `next` null: nor will it be, unless somebody asks again. */
  | { note: 'put-off'; reason: Reason; next: string | null }
  | { note: 'leaving'; action: WayOut; by: string; because?: string }
  | { note: 'rescue'; message: string }
  // The verdict stays what it is: a rollback changes which root boots, not how the update ended.
  | { note: 'rolled-back'; rollback: string }
  | { note: 'rolled-forward'; rollback: string };

export type JournalEntry = UpdateEvent | Note;

export function isEvent(entry: JournalEntry): entry is UpdateEvent {
  return 'event' in entry;
}
