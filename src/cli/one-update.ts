/** The update that a verb tells about: the one named, else the current one, else the newest of the history. */
import { isErrno } from '../host/host-error.js';
import { UpdateError } from '../update/errors.js';
import type { KnownUpdate, UpdateStore } from '../update/store.js';

/** Errors: `UNKNOWN_UPDATE`; `NOTHING_TO_DO` when this machine has no update at all. */
export async function oneUpdate(store: UpdateStore, id: string | undefined): Promise<KnownUpdate> {
  if (id !== undefined) return store.find(id);
  // Only root may look into the stage; the history is for everybody, and what is in the stage is the newest of it.
  const current = await store.current().catch((error: unknown) => {
    if (isErrno(error, 'EACCES')) return undefined;
    throw error;
  });
  if (current) return current;
  const [newest] = await store.ids();
  if (newest !== undefined) return store.find(newest);
  throw new UpdateError('NOTHING_TO_DO', 'there has been no update on this machine', {
    hint: 'offline-update prepare',
  });
}
