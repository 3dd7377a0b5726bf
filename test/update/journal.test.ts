import fc from 'fast-check';
import { appendFileSync, existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { durableFiles, type DurableFiles } from '../../src/host/durable-files.js';
import { fileSystem } from '../../src/host/file-system.js';
import type { JournalEntry } from '../../src/update/events.js';
import { Journal, parseJournal } from '../../src/update/journal.js';

const moment = { now: () => new Date('2026-11-20T15:49:35Z'), bootId: 'b0' };
const open = (path: string) => Journal.open(path, fileSystem, durableFiles(fileSystem), moment);

const way: JournalEntry[] = [
  { event: 'prepared', planHash: 'aa' },
  { event: 'armed', planHash: 'aa', action: 'reboot', trigger: '/system-update' },
  { note: 'finding', check: 'x', message: 'two\nlines "quoted" · ž' },
  { event: 'claimed', attempt: 1 },
  { event: 'installing', attempt: 1, fallback: null },
  { event: 'installed', attempt: 1 },
  { event: 'confirmed' },
];

async function written(path: string): Promise<string> {
  const journal = await open(path);
  for (const entry of way) await journal.append(entry);
  return readFileSync(path, 'utf8');
}

void t.test('what was appended is read again, with the state that it adds up to', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  await written(path);
  const again = await open(path);
  t.strictSame(
    again.rows.map(({ entry }) => entry),
    way,
  );
  t.strictSame(again.state, { name: 'confirmed' });
  t.strictSame(again.rows[0], {
    sequence: 1,
    at: '2026-11-20T15:49:35.000Z',
    bootId: 'b0',
    entry: way[0],
  });
});

void t.test('rows are written in the order of the calls, whoever waits for them', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  const journal = await open(path);
  const [refused] = await Promise.allSettled([
    journal.append({ event: 'confirmed' }),
    ...way.map((entry) => journal.append(entry)),
  ]);
  t.match(refused, { status: 'rejected', reason: { code: 'WRONG_STATE' } });
  t.strictSame(
    (await open(path)).rows.map(({ entry }) => entry),
    way,
  );
});

void t.test('an event that does not fit the state is refused and leaves no row', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  const journal = await open(path);
  await journal.append({ event: 'prepared', planHash: 'aa' });
  const before = readFileSync(path, 'utf8');
  await t.rejects(journal.append({ event: 'confirmed' }), { code: 'WRONG_STATE' });
  t.equal(readFileSync(path, 'utf8'), before);
});

void t.test(
  'invariant 3: a journal torn at any byte is a journal of its whole rows, and goes on from there',
  async (t) => {
    const dir = t.testdir({});
    const text = await written(join(dir, 'whole.jsonl'));
    let serial = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: text.length }), fc.nat({ max: 40 }), async (cut, again) => {
        const path = join(dir, `torn-${(serial += 1)}.jsonl`);
        writeFileSync(path, text.slice(0, cut));
        const whole = text.slice(0, cut).split('}\n').length - 1;
        const journal = await open(path);
        // A row whose newline alone is lost counts as written.
        const rows = journal.rows.length;
        if (rows !== whole && rows !== whole + 1) return false;
        // A second torn append right behind the first one.
        appendFileSync(path, `\n${text.slice(0, again)}`);
        const twice = await open(path);
        if (twice.rows.length !== rows) return false;
        await twice.append({ note: 'rescue', message: 'after the tear' });
        return (await open(path)).rows.length === rows + 1;
      }),
      { numRuns: 60 },
    );
  },
);

void t.test('a changed, lost or moved row in the midst is told as damage, never read as truth', async (t) => {
  const text = await written(join(t.testdir({}), 'journal.jsonl'));
  const lines = text.trimEnd().split('\n');
  const swapped = [lines[1], lines[0], ...lines.slice(2)].join('\n');
  const lost = [lines[0], ...lines.slice(2)].join('\n');
  const changed = text.replace('"attempt":1', '"attempt":2');
  for (const damaged of [swapped, lost, changed]) {
    t.throws(() => parseJournal(`${damaged}\n`), { code: 'JOURNAL_CORRUPT', hint: 'offline-update clean' });
  }
});

/** A disk that takes `bytes` of the next row, and then is full, or cannot be synced. */
function failingOnce(code: string, bytes: number): DurableFiles {
  const files = durableFiles(fileSystem);
  let isFailing = true;
  return {
    ...files,
    appendLine(path, line) {
      if (!isFailing) return files.appendLine(path, line);
      isFailing = false;
      appendFileSync(path, `${line}\n`.slice(0, bytes));
      return Promise.reject(Object.assign(new Error(code), { code }));
    },
  };
}

void t.test(
  'invariant 3: what an append that failed left on the disk takes no later row along',
  async (t) => {
    const finding: JournalEntry = { note: 'finding', check: 'x', message: 'y' };
    for (const [code, bytes] of [
      ['ENOSPC', 0],
      ['ENOSPC', 20],
      ['EIO', 1000],
    ] as const) {
      const path = join(t.testdir({}), 'journal.jsonl');
      for (const entry of way.slice(0, 5)) await (await open(path)).append(entry);
      const journal = await Journal.open(path, fileSystem, failingOnce(code, bytes), moment);
      await t.rejects(journal.append({ event: 'installed', attempt: 1 }), { code });
      t.equal(journal.state.name, bytes === 1000 ? 'installed' : 'installing', 'what the disk says');
      await journal.append(finding);
      await journal.append({
        event: 'failed',
        reason: { code: 'INSTALL_FAILED', message: code },
        healed: true,
      });
      const again = await open(path);
      t.strictSame(again.rows, journal.rows);
      t.match(again.state, { name: 'failed', reason: { message: code } });
    }
  },
);

void t.test(
  'nothing is written behind rows that somebody else took away, changed or has written',
  async (t) => {
    const doings: [string, (path: string, text: string) => void][] = [
      [
        'cut',
        (path, text) => {
          writeFileSync(path, text.slice(0, 100));
        },
      ],
      [
        'emptied',
        (path) => {
          writeFileSync(path, '');
        },
      ],
      [
        'removed',
        (path) => {
          unlinkSync(path);
        },
      ],
      [
        'appended to',
        (path) => {
          appendFileSync(path, 'a word\n');
        },
      ],
    ];
    for (const [name, act] of doings) {
      const path = join(t.testdir({}), 'journal.jsonl');
      const journal = await open(path);
      for (const entry of way.slice(0, 5)) await journal.append(entry);
      act(path, readFileSync(path, 'utf8'));
      const left = existsSync(path) ? readFileSync(path, 'utf8') : undefined;
      for (let times = 0; times < 2; times += 1) {
        await t.rejects(journal.append({ event: 'installed', attempt: 1 }), {
          code: 'JOURNAL_CORRUPT',
          message:
            /journal\.jsonl (has \d+ bytes|is not there), and had \d+ bytes: somebody else has changed it/,
        });
      }
      t.equal(journal.state.name, 'installing', name);
      t.equal(existsSync(path) ? readFileSync(path, 'utf8') : undefined, left, name);
    }
  },
);

void t.test('a row that was torn in the midst of a character is no other hand', async (t) => {
  const path = join(t.testdir({}), 'journal.jsonl');
  await (await open(path)).append({ event: 'prepared', planHash: 'aa' });
  appendFileSync(path, Buffer.from('{"sequence":2,"at":"ž').subarray(0, -1));
  const journal = await open(path);
  await journal.append({ note: 'rescue', message: 'after the tear' });
  await journal.append({ note: 'rescue', message: 'and once more' });
  t.equal((await open(path)).rows.length, 3);
});
