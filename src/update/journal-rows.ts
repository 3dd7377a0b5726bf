/** The rows of a journal that tell of one thing, in their order, with what they hold known by its type. */
import type { EventName, Note, UpdateEvent } from './events.js';
import type { JournalRow } from './journal.js';

type RowOf<E> = JournalRow & { entry: E };

export function eventRows<K extends EventName>(
  rows: readonly JournalRow[],
  ...names: K[]
): RowOf<Extract<UpdateEvent, { event: K }>>[] {
  const wanted: readonly string[] = names;
  return rows.filter(
    (row): row is RowOf<Extract<UpdateEvent, { event: K }>> =>
      'event' in row.entry && wanted.includes(row.entry.event),
  );
}

export function noteRows<K extends Note['note']>(
  rows: readonly JournalRow[],
  ...names: K[]
): RowOf<Extract<Note, { note: K }>>[] {
  const wanted: readonly string[] = names;
  return rows.filter(
    (row): row is RowOf<Extract<Note, { note: K }>> => 'note' in row.entry && wanted.includes(row.entry.note),
  );
}
