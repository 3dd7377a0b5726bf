import { command } from './command.js';

export interface JournalOptions {
  /** As `journalctl --boot`: 0 the last, -1 the one before it, 1 the first. Default: all. */
  boot?: number;
  unit?: string;
}

export interface JournalRow {
  message: string;
  /** On the clock of `BootRecord.startedSeconds`. */
  monotonicSeconds: number;
  bootId: string;
  /** The fields as journald stored them; a binary one is its text. */
  fields: Record<string, string>;
}

/** Reads the journal below a folder, oldest first. */
export async function readJournal(folder: string, options: JournalOptions): Promise<JournalRow[]> {
  const boot = options.boot === undefined ? [] : [`--boot=${options.boot}`];
  const unit = options.unit === undefined ? [] : [`--unit=${options.unit}`];
  const own = ['journalctl', `--directory=${folder}`, '--output=json', '--all', '--no-pager', '--quiet'];
  // journalctl fails when there is nothing yet.
  const { stdout } = await command([...own, ...boot, ...unit], { check: false });
  return stdout.split('\n').filter(Boolean).map(rowOf);
}

function rowOf(line: string): JournalRow {
  const fields = Object.fromEntries(
    Object.entries(JSON.parse(line) as Record<string, unknown>).map(([name, value]) => [name, textOf(value)]),
  );
  return {
    message: fields.MESSAGE ?? '',
    monotonicSeconds: Number(fields.__MONOTONIC_TIMESTAMP) / 1e6,
    bootId: fields._BOOT_ID ?? '',
    fields,
  };
}

/** journald gives bytes that are no UTF-8 or hold control characters as a list of numbers, a repeated field as a list. */
function textOf(value: unknown): string {
  if (!Array.isArray(value)) return String(value);
  const list: unknown[] = value;
  const bytes = list.filter((each) => typeof each === 'number');
  return bytes.length === list.length ? Buffer.from(bytes).toString('utf8') : list.map(textOf).join('\n');
}
