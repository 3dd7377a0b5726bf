import type { Reason } from './events.js';
import { noteRows } from './journal-rows.js';
import type { JournalRow } from './journal.js';

/** Why the machine goes back, by the newest decision that its journal tells of; undefined when there was none. */
export function reasonToRevert(rows: readonly JournalRow[]): Reason | undefined {
  return noteRows(rows, 'reverting').at(-1)?.entry.reason;
}
