/**
 * An update of the history, where all the others are to be told whatever became of this one. Undefined when it was
 * removed, or its journal cannot be read: damaged, or written by a later version in another root than this one.
 */
import { asUpdateError } from '../update/errors.js';
import type { KnownUpdate } from '../update/store.js';
import type { Ports } from './ports.js';

export async function readable(
  { store, log }: Pick<Ports, 'store' | 'log'>,
  id: string,
): Promise<KnownUpdate | undefined> {
  if (!(await store.ids()).includes(id)) return undefined;
  return store.find(id).catch((error: unknown) => {
    log.write('warning', `update ${id} cannot be read: ${asUpdateError(error).message}`);
    return undefined;
  });
}
