/** How the journal names a fallback of this provider: the two roots with their names and the ids that no name changes. */
import * as z from 'zod/mini';
import { UpdateError } from '../../update/errors.js';
import type { Fallback } from '../snapshot-provider.js';

const schema = z.object({
  by: z.enum(['name', 'default']),
  /** The name of the root before anything was switched, and the id of the subvolume that is updated. */
  root: z.string(),
  rootId: z.int(),
  /** The name and the id of the snapshot, as it was made. */
  other: z.string(),
  otherId: z.int(),
});

export type Reference = z.infer<typeof schema>;

export function referenceText(reference: Reference): string {
  return JSON.stringify(reference);
}

/** Errors: `SNAPSHOT_FAILED` for the reference of another provider. */
export function parseReference({ provider, reference }: Fallback): Reference {
  try {
    return schema.parse(JSON.parse(reference));
  } catch (error) {
    throw new UpdateError('SNAPSHOT_FAILED', `no fallback of btrfs: ${provider} ${reference}`, {
      cause: error,
    });
  }
}
