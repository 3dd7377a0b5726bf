import { mkdirSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { durableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import type { JournalEntry } from '../../src/update/events.js';
import { heldUpdates, isHeld, rolledBackBy } from '../../src/update/held.js';
import { Journal } from '../../src/update/journal.js';
import { pathsBelow, pathsOfUpdate } from '../../src/update/paths.js';

const moment = { now: () => new Date(0), bootId: 'boot' };
const toConfirmed: JournalEntry[] = [
  { event: 'prepared', planHash: 'aa' },
  { event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' },
  { event: 'claimed', attempt: 1 },
  { event: 'installing', attempt: 1, fallback: null },
  { event: 'installed', attempt: 1 },
  { event: 'confirmed' },
];
const back = (rollback: string): JournalEntry => ({ note: 'rolled-back', rollback });
const forward = (rollback: string): JournalEntry => ({ note: 'rolled-forward', rollback });

void t.test('a root holds what was installed in it and not rolled back since', async (t) => {
  const paths = pathsBelow(t.testdir());
  t.strictSame(await heldUpdates(fileSystem, paths), [], 'no history');
  const journals = new Map<string, Journal>();
  const histories: [id: string, entries: JournalEntry[]][] = [
    ['20260101T000000-0000', toConfirmed],
    ['20260102T000000-0000', toConfirmed.slice(0, -1)],
    ['20260103T000000-0000', toConfirmed.slice(0, -2)],
    ['20260104T000000-0000', [...toConfirmed, back('r1')]],
    ['20260105T000000-0000', [...toConfirmed, back('r1'), forward('r2')]],
    ['20260106T000000-0000', [...toConfirmed, back('r1'), forward('r2'), back('r3')]],
  ];
  for (const [id, entries] of histories) {
    const { folder, journal } = pathsOfUpdate(paths, id);
    mkdirSync(folder, { recursive: true });
    const opened = await Journal.open(journal, fileSystem, durableFiles(fileSystem), moment);
    for (const entry of entries) await opened.append(entry);
    journals.set(id, opened);
  }
  const damaged = pathsOfUpdate(paths, '20260107T000000-0000');
  mkdirSync(damaged.folder);
  writeFileSync(damaged.journal, '{"sequence":1,"check":"no"}\n');
  mkdirSync(`${paths.updates}/somebody-elses`);

  const held = ['20260101T000000-0000', '20260102T000000-0000', '20260105T000000-0000'];
  t.strictSame(await heldUpdates(fileSystem, paths), held);
  t.strictSame(
    [...journals].filter(([, journal]) => isHeld(journal)).map(([id]) => id),
    held,
  );
  t.strictSame(
    [...journals.values()].map(({ rows }) => rolledBackBy(rows)?.rollback),
    [undefined, undefined, undefined, 'r1', undefined, 'r3'],
  );
});
