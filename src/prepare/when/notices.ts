/**
 * What becomes of a time that was set: a note in the update's journal, and an entry in the journal of the machine. One
 * that is tried again and again for the same reason says it once.
 */
import type { JournalEntry } from '../../host/system-log.js';
import type { Note, Reason } from '../../update/events.js';
import { noticeIds } from '../../update/message-ids.js';
import type { KnownUpdate } from '../../update/store.js';
import { zonedText } from '../../update/zoned-time.js';
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

/** `next`: when it is tried again; null: not any more. */
export async function tellPutOff(
  scheduler: Scheduler,
  update: KnownUpdate,
  reason: Reason,
  next: Date | null,
): Promise<void> {
  if (next !== null && lastPutOff(update)?.reason.message === reason.message) return;
  await update.journal.append({ note: 'put-off', reason, next: next?.toISOString() ?? null });
  const said = `was not armed at its time: ${reason.message}`;
  await scheduler.tell(
    next === null
      ? entry('not-armed', update.id, said, { OFFLINE_UPDATE_REASON: reason.code })
      : entry('put-off', update.id, `${said}; it is tried again at ${zonedText(next)}`, {
          OFFLINE_UPDATE_REASON: reason.code,
        }),
  );
}

/** What was said last of the time of a prepared update; undefined when a new time was set since, or it was armed. */
export function lastPutOff(
  update: KnownUpdate,
): (Extract<Note, { note: 'put-off' }> & { at: string }) | undefined {
  const last = update.journal.rows.findLast(
    ({ entry: said }) =>
      'event' in said || said.note === 'put-off' || said.note === 'scheduled' || said.note === 'unscheduled',
  );
  if (!last || !('note' in last.entry) || last.entry.note !== 'put-off') return undefined;
  return { ...last.entry, at: last.at };
}

function entry(
  notice: keyof typeof noticeIds,
  id: string,
  said: string,
  fields: Record<string, string>,
): JournalEntry {
  return {
    messageId: noticeIds[notice],
    message: `update ${id} ${said}`,
    priority: notice === 'scheduled' ? 'notice' : 'warning',
    fields: { OFFLINE_UPDATE_ID: id, ...fields },
  };
}
