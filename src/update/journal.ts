/**
 * The journal of one update: `journal.jsonl`, one row a line, appended and fsynced before the effect it announces.
 * Each row carries a checksum chained over all rows before it. A torn last row (power cut in the append) is as if it
 * had never been; a row that does not fit the chain is `JOURNAL_CORRUPT`, and so is a file that somebody else has cut or
 * written to since it was read: a verdict is not put behind rows that are lost.
 */
import { createHash } from 'node:crypto';
import type { DurableFiles } from '../host/durable-files.js';
import type { FileSystem } from '../host/file-system.js';
import { isErrno, isHostError } from '../host/host-error.js';
import { UpdateError } from './errors.js';
import { isEvent, type JournalEntry, type UpdateEvent } from './events.js';
import { advance, transitions, type UpdateState } from './state.js';

export interface JournalRow {
  sequence: number;
  at: string;
  bootId: string;
  entry: JournalEntry;
}

/** Read once at the start of a process and passed down; rows are stamped with both. */
export interface Moment {
  now: () => Date;
  bootId: string;
}

export class Journal {
  /** The row that is on its way; what became of it is told to its caller alone. */
  private last: Promise<void> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly fs: FileSystem,
    private readonly files: DurableFiles,
    private readonly moment: Moment,
    private read: ReadJournal,
    private readonly onEvent: (event: UpdateEvent) => void,
  ) {}

  /** `onEvent`: told of each event of ours, once it is durable. */
  static async open(
    path: string,
    fs: FileSystem,
    files: DurableFiles,
    moment: Moment,
    onEvent: (event: UpdateEvent) => void = () => undefined,
  ): Promise<Journal> {
    return new Journal(path, fs, files, moment, await readJournal(path, fs), onEvent);
  }

  get rows(): readonly JournalRow[] {
    return this.read.rows;
  }

  get state(): UpdateState {
    return this.read.state;
  }

  /**
   * Durable when it resolves, and in the order of the calls: a row that is on its way is waited for. Errors: `WRONG_STATE`
   * when the event does not fit the state, `JOURNAL_CORRUPT` when the file is not as we left it; nothing is written then.
   * After an error of the disk rows and state are those that the next boot will read.
   */
  append(entry: JournalEntry): Promise<void> {
    const written = this.last.then(() => this.write(entry));
    this.last = written.catch(() => undefined);
    return written;
  }

  private async write(entry: JournalEntry): Promise<void> {
    const row: JournalRow = {
      sequence: this.read.rows.length + 1,
      at: this.moment.now().toISOString(),
      bootId: this.moment.bootId,
      entry,
    };
    const state = isEvent(entry) ? advance(this.read.state, entry, row.bootId) : this.read.state;
    const check = checksum(this.read.check, row);
    const line = JSON.stringify({ ...row, check });
    // A torn row before ours ends here, so that ours stands on a line of its own.
    const lines = this.read.torn ? ['', line] : [line];
    let { size } = this.read;
    try {
      for (const each of lines) {
        await this.files.appendLine(this.path, each, size);
        size += Buffer.byteLength(`${each}\n`);
      }
    } catch (error) {
      if (isHostError(error, 'FILE_CHANGED')) {
        throw corrupt(`${error.message}: somebody else has changed it`, { cause: error });
      }
      // A full disk takes a part of a row, and one that cannot be synced holds all of it: later rows follow upon that.
      this.read = await readJournal(this.path, this.fs).catch(() => ({ ...this.read, torn: true }));
      throw error;
    }
    this.read = { rows: [...this.read.rows, row], state, check, torn: false, size };
    if (isEvent(entry)) this.onEvent(entry);
  }
}

interface ParsedJournal {
  rows: JournalRow[];
  state: UpdateState;
  check: string;
  torn: boolean;
}

interface ReadJournal extends ParsedJournal {
  /** Of the file, in bytes. */
  size: number;
}

/** All sound rows and the state that they add up to. A missing file is an empty journal. */
async function readJournal(path: string, fs: FileSystem): Promise<ReadJournal> {
  try {
    const parsed = parseJournal(await fs.readFile(path), path);
    // Not that of the text: a row torn in the midst of a character has another one.
    return { ...parsed, size: (await fs.lstat(path)).size };
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return { ...parseJournal('', path), size: 0 };
  }
}

export function parseJournal(text: string, path = 'the journal'): ParsedJournal {
  const result: ParsedJournal = {
    rows: [],
    state: { name: 'none' },
    check: '',
    torn: text !== '' && !text.endsWith('\n'),
  };
  for (const line of text.split('\n')) {
    const sealed = parseRow(line);
    // Not JSON: an append that a power cut tore. What it announced had not begun; the chain goes on without it.
    if (!sealed) continue;
    const { check, ...row } = sealed;
    if (checksum(result.check, row) !== check)
      throw corrupt(`${path} is damaged at row ${result.rows.length + 1}`);
    if (isEvent(row.entry)) result.state = advance(result.state, known(row.entry), row.bootId);
    result.rows.push(row);
    result.check = check;
  }
  return result;
}

function parseRow(line: string): (JournalRow & { check: string }) | undefined {
  try {
    const row = JSON.parse(line) as unknown;
    return typeof row === 'object' && row !== null ? (row as JournalRow & { check: string }) : undefined;
  } catch {
    return undefined;
  }
}

function known(event: UpdateEvent): UpdateEvent {
  if (event.event in transitions) return event;
  throw new UpdateError('FORMAT_TOO_NEW', 'the journal knows an event of a later version of offline-update', {
    hint: 'upgrade offline-update',
  });
}

function checksum(before: string, row: JournalRow): string {
  return createHash('sha256')
    .update(`${before}\n${JSON.stringify(row)}`)
    .digest('hex')
    .slice(0, 16);
}

function corrupt(message: string, details: { cause?: unknown } = {}): UpdateError {
  return new UpdateError('JOURNAL_CORRUPT', message, { ...details, hint: 'offline-update clean' });
}
