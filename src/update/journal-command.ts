/** The command that shows what the journal of systemd has of an update: its newest update boot. */
import type { JournalRow } from './journal.js';
import { eventRows } from './journal-rows.js';

export function journalCommand(rows: readonly JournalRow[]): string[] {
  const boot = eventRows(rows, 'claimed', 'resumed', 'installing', 'installed').at(-1)?.bootId;
  const ofBoot = boot === undefined ? [] : [`--boot=${boot.replaceAll('-', '')}`];
  return ['journalctl', '--unit=offline-update.service', ...ofBoot];
}
