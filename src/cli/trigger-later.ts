/** `trigger` for a time that is not simply now: --at, --when-idle, --unattended, and windows of the policy. */
import type { BothWays } from '../prepare/end-of.js';
import type { Triggered, TriggerOptions } from '../prepare/trigger.js';
import type { ScheduledUpdate } from '../prepare/when/schedule-update.js';
import type { Attended } from '../prepare/when/attend.js';
import { UpdateError } from '../update/errors.js';
import type { Policy } from '../update/policy.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import type { Output } from './output.js';
import type { CliPorts } from './ports.js';

export interface LaterWords {
  now?: boolean;
  at?: string;
  whenIdle?: boolean;
  unattended?: boolean;
  scheduled?: boolean;
}

/** Errors: `USAGE` for words that do not go together. */
export function isForLater(words: LaterWords, { windows }: Pick<Policy, 'windows'>): boolean {
  const { now = false, at, whenIdle = false, unattended = false, scheduled = false } = words;
  const isAsked = at !== undefined || whenIdle || unattended || scheduled;
  const wrong =
    now && isAsked
      ? '--now is at once, whatever the time, the windows and the people: no --at, --when-idle or --unattended beside it'
      : unattended && (at !== undefined || whenIdle)
        ? '--unattended is for a timer, within the windows of the policy: no --at or --when-idle beside it'
        : undefined;
  if (wrong !== undefined) throw new UpdateError('USAGE', wrong, { hint: 'offline-update trigger --help' });
  return !now && (isAsked || windows.length > 0);
}

export async function triggerLater(
  ports: CliPorts,
  words: LaterWords,
  options: TriggerOptions,
): Promise<ScheduledUpdate> {
  const { scheduleUpdate } = await import('../prepare/when/schedule-update.js');
  const { parseTime } = await import('../prepare/when/parse-time.js');
  const scheduler = await ports.scheduler();
  const { at, whenIdle = false, unattended: isUnattended = false } = words;
  const reader = {
    now: ports.online.moment.now(),
    calendar: (expression: string) => scheduler.calendar(expression),
  };
  return scheduleUpdate(ports.online, scheduler, {
    ...options,
    ...{ whenIdle, isUnattended },
    ...(at !== undefined && { at: await parseTime(at, reader) }),
  });
}

/** What became of it. Errors: the reason, when it was given up at once. */
export async function tellLater(out: Output, told: ScheduledUpdate, whenIdle: boolean): Promise<ExitCode> {
  const { scheduledLines } = await import('./pages/scheduled-lines.js');
  const { id, term, attended, findings, rehearsal, estimate } = told;
  if (attended.outcome === 'given-up') {
    const { code, message } = attended.reason;
    throw new UpdateError(code, message, { hint: 'offline-update doctor' });
  }
  for (const line of scheduledLines(told, whenIdle)) out.line(line);
  out.json({
    state: attended.outcome === 'leaving' ? 'armed' : 'scheduled',
    id,
    at: term.at,
    until: term.until,
    whenIdle,
    attended: attendedDocument(attended),
    ...{ findings, rehearsal, estimate },
  });
  return exitCodes.done;
}

/** For offline-update-scheduled.service. */
export async function attendScheduled(
  ports: CliPorts,
  out: Output,
  makeOptions: () => Promise<Pick<TriggerOptions, 'machine' | 'rehearsal'>>,
): Promise<ExitCode> {
  const { attend } = await import('../prepare/when/attend.js');
  const { attendedLines } = await import('./pages/scheduled-lines.js');
  const attended = await attend(ports.online, await ports.scheduler(), makeOptions);
  for (const line of attendedLines(attended)) out.line(line);
  out.json(attendedDocument(attended));
  return attended.outcome === 'given-up' ? exitCodes.blocked : exitCodes.done;
}

function attendedDocument(attended: Attended): Record<string, unknown> {
  if (attended.outcome !== 'leaving') return attended;
  const { outcome, id, at, armed } = attended;
  return { outcome, id, at, ...(armed && endOf(armed)) };
}

function endOf({ action, because, wayIn, trigger }: Triggered): BothWays & Pick<Triggered, 'trigger'> {
  return { action, because, wayIn, trigger };
}
