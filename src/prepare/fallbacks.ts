/** The fallbacks that are kept, as people choose among them. */
import type { KeptFallback, SnapshotProvider } from '../snapshots/snapshot-provider.js';
import { isHeld } from '../update/held.js';
import { eventRows } from '../update/journal-rows.js';
import type { KnownUpdate, UpdateStore } from '../update/store.js';

export interface FallbackTruth {
  id: string;
  provider: string;
  /** Before what the machine ran it: an update of the history, or else a rollback (or a drill that was cut short). */
  before: 'update' | 'rollback';
  /** When it was set aside. */
  since: string;
  /** Updates that this root holds and the fallback does not, the newest first. */
  goesBack: string[];
  /** Updates that only the fallback holds. */
  comesBack: string[];
  /** What removing it would free; null when it was not measured, or cannot be told. */
  sizeBytes: number | null;
}

/** The newest first. `measure`: their sizes as well, for which all files of each are walked through. */
export async function keptFallbacks(
  { store, snapshots }: { store: UpdateStore; snapshots: SnapshotProvider },
  { measure = false }: { measure?: boolean } = {},
): Promise<{ kept: KeptFallback; truth: FallbackTruth }[]> {
  const kept = await snapshots.list();
  if (kept.length === 0) return [];
  const known = await knownUpdates(store);
  const present = known.filter(({ journal }) => isHeld(journal)).map(({ id }) => id);
  return Promise.all(
    kept.map(async (each) => {
      const { id, provider } = each;
      const holds = each.holds ?? present.filter((other) => other < id);
      const update = known.find((other) => other.id === id);
      const size = measure ? await snapshots.sizeOf?.(each) : undefined;
      const truth: FallbackTruth = {
        id,
        provider,
        before: update ? 'update' : 'rollback',
        since: (update && installedSince(update)) ?? timeOfId(id),
        goesBack: present.filter((other) => !holds.includes(other)),
        comesBack: holds.filter((other) => !present.includes(other)),
        sizeBytes: size ?? null,
      };
      return { kept: each, truth };
    }),
  );
}

/** The newest first; one whose journal cannot be read is left out. */
async function knownUpdates(store: UpdateStore): Promise<KnownUpdate[]> {
  const found = await Promise.all((await store.ids()).map((id) => store.find(id).catch(() => undefined)));
  return found.flatMap((update) => update ?? []);
}

/** The fallback was made right before this row. */
function installedSince({ journal }: KnownUpdate): string | undefined {
  return eventRows(journal.rows, 'installing').at(-1)?.at;
}

/** `20261120T154935-3f2a`: the time of a rollback is in its id. */
function timeOfId(id: string): string {
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] =
    /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})/.exec(id) ?? [];
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
}
