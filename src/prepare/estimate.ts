/**
 * How long the machine will be away, foretold from the rehearsal and from what this machine did before: its own last
 * updates first, else systemd's marks of the present boot and of the last shutdown. Pure but for `estimateFacts`.
 */
import type { BootTimes } from '../host/boot-times.js';
import { awayIn, estimateIn, type Away } from '../update/away.js';
import type { JournalRow } from '../update/journal.js';
import type { WayIn, WayOut } from '../update/events.js';
import { eventRows, noteRows } from '../update/journal-rows.js';
import type { Rehearsal } from '../update/rehearsal.js';
import type { UpdateStore } from '../update/store.js';

export interface EstimateFacts {
  /** A soft-reboot is without firmware, boot loader, kernel and initramfs. */
  wayIn: WayIn;
  action: WayOut;
  rehearsal: Pick<Rehearsal, 'phases'>;
  packages: number;
  /** One sync of a small file; 0 where the update boot makes none. */
  syncSeconds: number;
  boot: BootTimes | undefined;
  shutdownSeconds: number | undefined;
  /** Of former updates, the newest first; of each leg the last three count that are known. */
  history: readonly { estimate: Away | null; away: Away }[];
}

/** dpkg syncs the new files, its journal and its database: 10 times a package. */
const SYNCS_A_PACKAGE = 10;
/** Start of the service, hashing and the last records. */
const SERVICE_SECONDS = 0.5;
/** Where the machine has no history: an ordinary server's. */
const SHUTDOWN_SECONDS = 5;
const BOOT_SECONDS = 20;
/** From the start of systemd to the update service. */
const SYSINIT_SECONDS = 1;

export function estimateAway(facts: EstimateFacts): Record<keyof Away, number> {
  const { boot, history } = facts;
  const shutdown = facts.shutdownSeconds ?? SHUTDOWN_SECONDS;
  const before = (way: WayOut): number =>
    way === 'soft-reboot' ? 0 : (boot?.beforeUserspaceSeconds ?? BOOT_SECONDS / 2);
  const after = boot?.userspaceSeconds ?? BOOT_SECONDS / 2;
  return {
    downSeconds:
      usual(history, 'downSeconds') ?? shutdown + before(facts.wayIn) + Math.min(SYSINIT_SECONDS, after),
    installSeconds: installSeconds(facts) * calibration(history),
    // the update boot has hardly a service to stop
    upSeconds: usual(history, 'upSeconds') ?? before(facts.action) + after,
  };
}

function installSeconds({ rehearsal, packages, syncSeconds }: EstimateFacts): number {
  const rehearsed = rehearsal.phases.reduce((sum, { seconds }) => sum + seconds, 0);
  return rehearsed + packages * SYNCS_A_PACKAGE * syncSeconds + SERVICE_SECONDS;
}

function usual(history: EstimateFacts['history'], key: 'downSeconds' | 'upSeconds'): number | undefined {
  return median(history.flatMap(({ away }) => away[key] ?? []).slice(0, REMEMBERED_UPDATES));
}

/** How far off the last estimates were; one strange update must not spoil the next one. */
function calibration(history: EstimateFacts['history']): number {
  const ratios = history.flatMap(({ estimate, away }) =>
    estimate?.installSeconds && away.installSeconds ? away.installSeconds / estimate.installSeconds : [],
  );
  return Math.min(2, Math.max(0.5, median(ratios.slice(0, REMEMBERED_UPDATES)) ?? 1));
}

function median(numbers: number[]): number | undefined {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

const REMEMBERED_UPDATES = 3;

/** The newest first, each leg where it was a reboot of this kind. What cannot be read is left out. */
export async function pastAways(
  store: Pick<UpdateStore, 'ids' | 'find'>,
  { wayIn, action }: Pick<EstimateFacts, 'wayIn' | 'action'>,
): Promise<EstimateFacts['history']> {
  const found: { estimate: Away | null; away: Away }[] = [];
  for (const id of await store.ids()) {
    const rows: readonly JournalRow[] = (await store.find(id).catch(() => undefined))?.journal.rows ?? [];
    const away = awayIn(rows);
    const isSameIn = wayTaken(rows) === wayIn;
    const leftBy = noteRows(rows, 'leaving').at(-1)?.entry.action;
    const isSameOut = (leftBy === 'soft-reboot') === (action === 'soft-reboot');
    if (!away || (!isSameIn && !isSameOut)) continue;
    const { downSeconds, upSeconds, ...rest } = away;
    const alike = {
      ...rest,
      downSeconds: isSameIn ? downSeconds : null,
      upSeconds: isSameOut ? upSeconds : null,
    };
    found.push({ estimate: estimateIn(rows), away: alike });
  }
  return found;
}

/** By what was done, and not by what was said: under a soft-reboot the boot id stays. */
function wayTaken(rows: readonly JournalRow[]): WayIn {
  const [armed, claimed] = [eventRows(rows, 'armed').at(-1), eventRows(rows, 'claimed')[0]];
  return armed?.bootId === claimed?.bootId ? 'soft-reboot' : 'reboot';
}
