/**
 * The account of one update, told from its plan and its journal alone, so that it can be made anew at any time and in
 * any boot. `report.json` (format 1) in the history is this, as it was when the verdict fell.
 */
import {
  isEvent,
  type JournalEntry,
  type Note,
  type PhaseName,
  type Reason,
  type Syncs,
  type UpdateEvent,
  type WayOut,
} from './events.js';
import { awayIn, estimateIn, secondsBetween, totalSeconds, type Away } from './away.js';
import { firstLine } from './first-line.js';
import type { Journal, JournalRow } from './journal.js';
import { eventRows, noteRows } from './journal-rows.js';
import type { PayloadPlan, Plan } from './plan.js';
import { rescueText } from './rescue-words.js';
import type { StateName, UpdateState } from './state.js';

export const REPORT_FORMAT = 1;

export interface Report {
  format: typeof REPORT_FORMAT;
  id: string;
  state: StateName;
  reason: Reason | null;
  /** Why it was taken back before it ran; null when it was not, or is armed or has a time anew. */
  cancelled: string | null;
  preparedAt: string;
  request: Plan['request'];
  payload: PayloadPlan;
  /** Update boots that worked on it. */
  attempts: number;
  /** The wished end, and how the update boot was left. */
  action: WayOut | null;
  /** Why it is this one; null when it was wished for. */
  actionBecause: string | null;
  leftBy: string | null;
  /** From the claim to the request to leave the update boot, of the last attempt; null when it was cut short, or the clock was set back. */
  awaySeconds: number | null;
  /** How long the machine was to be away, as foretold, and was, from the shutdown to the end of the next boot. */
  estimate: Away | null;
  away: Away | null;
  /** Of the package manager, in the last attempt; null when none came to the install. */
  syncs: Syncs | null;
  phases: { phase: PhaseName; outcome: 'done' | 'failed'; seconds: number }[];
  conffiles: { path: string; leftover: string }[];
  findings: { check: string; message: string }[];
  /** Of the boot that judged it last. */
  health: { check: string; outcome: 'passed' | 'failed' | 'warned'; message: string; output: string }[];
  /** What they printed stands in `logs.terminal`. */
  hooks: { path: string; exitCode: number; output: string }[];
  timeline: { at: string; bootId: string; text: string }[];
  /** The command that shows the journal of systemd, and a file. */
  logs: { journal: string; terminal: string };
}

export function buildReport(
  plan: Plan,
  rows: readonly JournalRow[],
  state: UpdateState,
  logs: Report['logs'],
): Report {
  const notes = <K extends Note['note']>(name: K) => noteRows(rows, name).map(({ entry }) => entry);
  const cancelled = cancelledIn({ rows, state });
  const armed = cancelled === null ? eventRows(rows, 'armed').at(-1)?.entry : undefined;
  const leaving = notes('leaving').at(-1);
  const installing = eventRows(rows, 'installing').at(-1)?.entry;
  return {
    format: REPORT_FORMAT,
    id: plan.id,
    state: state.name,
    reason: 'reason' in state ? state.reason : null,
    cancelled,
    preparedAt: plan.createdAt,
    request: plan.request,
    payload: plan.payload,
    attempts: attemptsIn(rows),
    action: leaving?.action ?? armed?.action ?? null,
    actionBecause: leaving?.because ?? (armed && isStill(armed, leaving) ? (armed.because ?? null) : null),
    leftBy: leaving?.by ?? null,
    awaySeconds: awaySeconds(rows),
    estimate: estimateIn(rows),
    away: awayIn(rows),
    syncs: installing ? (installing.syncs ?? 'kept') : null,
    phases: notes('phase').map(({ phase, outcome, seconds }) => ({ phase, outcome, seconds })),
    conffiles: notes('conffile').map(({ path, leftover }) => ({ path, leftover })),
    findings: notes('finding').map(({ check, message }) => ({ check, message })),
    health: healthOf(rows),
    hooks: notes('hook').map(({ path, exitCode, output }) => ({ path, exitCode, output })),
    timeline: rows.map(({ at, bootId, entry }) => ({ at, bootId, text: tell(entry) })),
    logs,
  };
}

/** Why it lost its trigger or its time, of which its state tells nothing; null when it never had one, or has one anew. */
export function cancelledIn({ rows, state }: Pick<Journal, 'rows' | 'state'>): string | null {
  if (state.name !== 'prepared') return null;
  for (const { entry } of rows.toReversed()) {
    if ('event' in entry) return entry.event === 'cancelled' ? firstLine(entry.reason) : null;
    if (entry.note === 'unscheduled') return firstLine(entry.reason);
    if (entry.note === 'scheduled') return null;
  }
  return null;
}

/** What was decided by the trigger explains no other end. */
function isStill(
  armed: Extract<UpdateEvent, { event: 'armed' }>,
  leaving: { action: WayOut } | undefined,
): boolean {
  return leaving === undefined || leaving.action === armed.action;
}

function healthOf(rows: readonly JournalRow[]): Report['health'] {
  const found = noteRows(rows, 'health');
  const last = found.at(-1)?.bootId;
  return found
    .filter(({ bootId }) => bootId === last)
    .map(({ entry: { check, outcome, message, output } }) => ({ check, outcome, message, output }));
}

export function attemptsIn(rows: readonly JournalRow[]): number {
  const numbered = eventRows(rows, 'claimed', 'installing', 'resumed', 'installed');
  return Math.max(0, ...numbered.map(({ entry }) => entry.attempt));
}

function awaySeconds(rows: readonly JournalRow[]): number | null {
  const last = noteRows(rows, 'leaving').at(-1);
  const first = eventRows(rows, 'claimed', 'resumed').find(({ bootId }) => bootId === last?.bootId);
  if (!last || !first) return null;
  return secondsBetween(Date.parse(first.at), Date.parse(last.at));
}

/** One line of the timeline. */
function tell(entry: JournalEntry): string {
  return isEvent(entry) ? tellEvent(entry) : tellNote(entry);
}

/** One line, with the first one of its reason. */
export function tellEvent(entry: UpdateEvent): string {
  switch (entry.event) {
    case 'prepared':
      return 'prepared and sealed';
    case 'armed':
      return `armed at ${entry.trigger}`;
    case 'cancelled':
      return `cancelled: ${firstLine(entry.reason)}`;
    case 'claimed':
      return `claimed in the update boot, attempt ${entry.attempt}`;
    case 'installing':
      return entry.fallback
        ? `installing, with a way back by ${entry.fallback.provider}` +
            (entry.syncs === 'suppressed' ? '; all is synced at the end' : '')
        : 'installing, without a fallback: an interruption is rolled forward';
    case 'resumed':
      return `found interrupted, resumed as attempt ${entry.attempt}`;
    case 'installed':
      return 'installed and verified';
    case 'confirmed':
      return 'confirmed: the machine came back updated';
    case 'failed':
      return `failed${entry.healed ? ', the packages are whole' : ''}: ${firstLine(entry.reason.message)}`;
    case 'stale':
    case 'refused':
    case 'reverted':
    case 'blocked':
      return `${entry.event}: ${firstLine(entry.reason.message)}`;
  }
}

function tellNote(note: Note): string {
  switch (note.note) {
    case 'phase':
      return `${note.phase}: ${note.outcome} in ${note.seconds.toFixed(2)} s`;
    case 'finding':
      return `${note.check}: ${firstLine(note.message)}`;
    case 'conffile':
      return `${note.path} was kept, the package's version is ${note.leftover}`;
    case 'hook':
      return `hook ${note.path} ended with ${note.exitCode}`;
    case 'health':
      return `health, ${note.check}: ${note.outcome}${note.message === '' ? '' : `, ${note.message}`}`;
    case 'reverting':
      return note.step === 'decided'
        ? `going back: ${firstLine(note.reason.message)}`
        : 'the fallback boots next';
    case 'estimate':
      return `foretold to be away for ${Math.round(totalSeconds(note) ?? 0)} s`;
    case 'away': {
      const total = totalSeconds(note);
      return total === null ? 'back again' : `back again after ${Math.round(total)} s`;
    }
    case 'scheduled':
      return `scheduled for ${note.at}${note.until === null ? ', when the machine is idle' : ''}`;
    case 'unscheduled':
      return `no longer scheduled: ${note.reason}`;
    case 'put-off':
      return note.next === null
        ? `not armed at its time: ${firstLine(note.reason.message)}`
        : `put off until ${note.next}: ${firstLine(note.reason.message)}`;
    case 'leaving':
      return `leaving by ${note.action} (${note.by})`;
    case 'rescue':
      return `without the service: ${rescueText(note.message)}`;
    case 'rolled-back':
      return `rolled back (${note.rollback}): the root from before this update was made the one that boots`;
    case 'rolled-forward':
      return `rolled forward (${note.rollback}): a root that holds this update was made the one that boots`;
  }
}
