/** Plans that were replaced before anybody armed them are no history: nothing happened by them. */
import type { UpdateStore } from '../update/store.js';
import { UpdateError } from '../update/errors.js';

export async function forgetUnarmed(store: UpdateStore, except?: string): Promise<void> {
  for (const id of await store.ids()) {
    if (id === except) continue;
    await store.forget(id).catch((error: unknown) => {
      // An old journal that cannot be read must not keep today's update from being prepared.
      if (!(error instanceof UpdateError)) throw error;
    });
  }
}
