/** The command that shows what the journal of systemd has of an update: its newest update boot. */
import type { JournalRow } from './journal.js';

export function journalCommand(rows: readonly JournalRow[]): string[] {
  const boot = rows.filter(({ entry }) => 'event' in entry && inUpdateBoot.has(entry.event)).at(-1)?.bootId;
  const ofBoot = boot === undefined ? [] : [`--boot=${boot.replaceAll('-', '')}`];
  return ['journalctl', '--unit=offline-update.service', ...ofBoot];
}

const inUpdateBoot: ReadonlySet<string> = new Set(['claimed', 'resumed', 'installing', 'installed']);
