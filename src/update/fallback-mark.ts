/**
 * `/var/lib/offline-update/fallback.json` (format 1): lies in a root that was set aside, and says why. A boot that finds
 * it booted that root, whatever the journal in it says.
 */
import * as z from 'zod/mini';
import type { FileSystem } from '../host/file-system.js';
import { ifThere } from '../host/if-there.js';
import { UpdateError } from './errors.js';

/** What it means when a root with such a mark boots. */
const roles = z.enum([
  /** The old root of an update: the update did not complete, or the root was named to boot by hand. */
  'fallback',
  /** Chosen by `offline-update rollback`, or by hand after that. */
  'rollback',
  /** The root that a rollback left: the rollback did not come to its last step, or was undone by hand. */
  'kept',
  /** The snapshot of a rehearsal of the way back, which was cut short. */
  'drill',
  /** Given up by an update that failed; somebody made it boot by hand. */
  'failed',
]);

const schema = z.object({
  format: z.literal(1),
  /** Of the update, the rollback or the drill before which this root was the one that ran. */
  id: z.string(),
  provider: z.string(),
  /** Under which name its provider finds the other root: the one that was being updated, or was left. */
  failedRoot: z.string(),
  role: z._default(roles, 'fallback'),
  /** Of role `rollback`: the id of the rollback, and the updates that this root holds. */
  rollback: z.optional(z.string()),
  holds: z.optional(z.array(z.string())),
  /** Which root the mark is of, where its name does not tell: a copy of the root has another number. */
  rootId: z.optional(z.int()),
});

export type FallbackMark = z.infer<typeof schema>;
export type MarkRole = FallbackMark['role'];

/** To be written; without a role it is that of a `fallback`. */
export type NewMark = Omit<FallbackMark, 'format' | 'role'> & { role?: MarkRole };

export function markText({ role, ...mark }: NewMark): string {
  return `${JSON.stringify({ format: 1, ...mark, ...(role && role !== 'fallback' && { role }) })}\n`;
}

/** Undefined when this root is no fallback. Errors: `FORMAT_TOO_NEW` for a mark that cannot be read. */
export async function readMark(fs: FileSystem, path: string): Promise<FallbackMark | undefined> {
  const text = await ifThere(fs.readFile(path));
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UpdateError('FORMAT_TOO_NEW', `${path} cannot be read`, { cause: error });
  }
}
