import t from 'tap';
import type { JournalEntry } from '../../src/update/events.js';
import type { JournalRow } from '../../src/update/journal.js';
import { eventRows, noteRows } from '../../src/update/journal-rows.js';

const entries: JournalEntry[] = [
  { event: 'claimed', attempt: 1 },
  { note: 'rescue', message: 'rolled-forward' },
  { event: 'resumed', attempt: 2 },
  { note: 'finding', check: 'snapshot', message: 'no fallback' },
  { event: 'claimed', attempt: 3 },
];
const rows = entries.map((entry, index): JournalRow => {
  return { sequence: index + 1, at: '2026-11-20T15:49:35.000Z', bootId: 'b', entry };
});

void t.test('the rows of some events, in the order of the journal, and no notes', (t) => {
  const attempts = eventRows(rows, 'resumed', 'claimed').map(({ sequence, entry }) => [
    sequence,
    entry.attempt,
  ]);
  t.strictSame(attempts, [
    [1, 1],
    [3, 2],
    [5, 3],
  ]);
  t.strictSame(eventRows(rows, 'installed'), []);
  t.end();
});

void t.test('the rows of some notes, in the order of the journal, and no events', (t) => {
  t.strictSame(
    noteRows(rows, 'finding', 'rescue').map(({ sequence, entry }) => [sequence, entry.message]),
    [
      [2, 'rolled-forward'],
      [4, 'no fallback'],
    ],
  );
  t.end();
});
