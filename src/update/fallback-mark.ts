/**
 * `/var/lib/offline-update/fallback.json` (format 1): lies in a fallback and nowhere else. A boot that finds it booted
 * the old root, so the update did not complete, whatever the journal of this root says.
 */
import * as z from 'zod/mini';
import type { FileSystem } from '../host/file-system.js';
import { isErrno } from '../host/host-error.js';
import { UpdateError } from './errors.js';

const schema = z.object({
  format: z.literal(1),
  id: z.string(),
  provider: z.string(),
  /** Under which name its provider finds the root that was being updated. */
  failedRoot: z.string(),
});

export type FallbackMark = z.infer<typeof schema>;

export function markText(mark: Omit<FallbackMark, 'format'>): string {
  return `${JSON.stringify({ format: 1, ...mark })}\n`;
}

/** Undefined when this root is no fallback. Errors: `FORMAT_TOO_NEW` for a mark that cannot be read. */
export async function readMark(fs: FileSystem, path: string): Promise<FallbackMark | undefined> {
  let text: string;
  try {
    text = await fs.readFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UpdateError('FORMAT_TOO_NEW', `${path} cannot be read`, { cause: error });
  }
}
