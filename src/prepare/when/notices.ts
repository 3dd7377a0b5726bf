/**
 * What becomes of a time that was set: a note in the update's journal, and an entry in the journal of the machine. One
 * that is tried again every two minutes for the same reason says it once; that it waits for another window is said anew.
 */
import type { LogEntry } from '../../host/system-log.js';
import type { Note, Reason } from '../../update/events.js';
import { firstLine } from '../../update/first-line.js';
import { noticeIds } from '../../update/message-ids.js';
import { readScheduled } from '../../update/scheduled.js';
import type { KnownUpdate } from '../../update/store.js';
import { zonedText } from '../../update/zoned-time.js';
import type { Online } from '../online.js';
import { nextLook } from './decide.js';
import type { Scheduler } from './scheduler.js';
import type { Term } from './term.js';

export async function tellScheduled(scheduler: Scheduler, update: KnownUpdate, term: Term): Promise<void> {
  const until = term.until?.toISOString() ?? null;
  await update.journal.append({ note: 'scheduled', at: term.at.toISOString(), until });
  await scheduler.tell(
    entry('scheduled', update.id, `is to be installed at ${zonedText(term.at)}`, {
      OFFLINE_UPDATE_AT: term.at.toISOString(),
    }),
  );
}

/** Undefined when the update has no time. */
export async function scheduledWords(
  { fs, paths }: Pick<Online, 'fs' | 'paths'>,
  id: string,
): Promise<string | undefined> {
  const scheduled = await readScheduled(fs, paths);
  return scheduled?.id === id
    ? `update ${id} is to be installed at ${zonedText(new Date(scheduled.at))}`
    : undefined;
}

export interface NextTry {
  at: Date;
  /** In a while, and not in another window. */
  isSoon: boolean;
}

/** `next`: when it is tried again; null: not any more. */
export async function tellPutOff(
  scheduler: Scheduler,
  update: KnownUpdate,
  reason: Reason,
  next: NextTry | null,
): Promise<void> {
  if (next?.isSoon === true && isSaid(update, reason)) return;
  await update.journal.append({ note: 'put-off', reason, next: next?.at.toISOString() ?? null });
  const said = `was not armed at its time: ${firstLine(reason.message)}`;
  await scheduler.tell(
    next === null
      ? entry('not-armed', update.id, said, { OFFLINE_UPDATE_REASON: reason.code })
      : entry('put-off', update.id, `${said}; it is tried again at ${zonedText(next.at)}`, {
          OFFLINE_UPDATE_REASON: reason.code,
        }),
  );
}

/** Not where another window was told last: that it is put off in that one as well is news. */
function isSaid(update: KnownUpdate, { message }: Reason): boolean {
  const last = lastPutOff(update);
  if (last?.reason.message !== message || last.next === null) return false;
  return new Date(last.next) <= nextLook(new Date(last.at));
}

/** What was said last of the time of a prepared update; undefined when a new time was set since, or it was armed. */
export function lastPutOff(
  update: KnownUpdate,
): (Extract<Note, { note: 'put-off' }> & { at: string }) | undefined {
  const last = lastOfTimes(update);
  if (!last || !('note' in last.entry) || last.entry.note !== 'put-off') return undefined;
  return { ...last.entry, at: last.at };
}

/** Somebody took its time or its trigger away, and nobody has asked for it since. */
export function isTakenBack(update: KnownUpdate): boolean {
  const said = lastOfTimes(update)?.entry;
  return said !== undefined && ('event' in said ? said.event === 'cancelled' : said.note === 'unscheduled');
}

function lastOfTimes(update: KnownUpdate): KnownUpdate['journal']['rows'][number] | undefined {
  return update.journal.rows.findLast(
    ({ entry: said }) =>
      'event' in said || said.note === 'put-off' || said.note === 'scheduled' || said.note === 'unscheduled',
  );
}

function entry(
  notice: keyof typeof noticeIds,
  id: string,
  said: string,
  fields: Record<string, string>,
): LogEntry {
  return {
    messageId: noticeIds[notice],
    message: `update ${id} ${said}`,
    priority: notice === 'scheduled' ? 'notice' : 'warning',
    fields: { OFFLINE_UPDATE_ID: id, ...fields },
  };
}
