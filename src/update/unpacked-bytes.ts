/** How much room the packages of a plan take beside what is there, before anybody has unpacked them. */
import type { PayloadPlan } from './plan.js';

/** What is unpacked is some three times its package, and the file system's own books grow as well. */
const UNPACKED_TO_PACKED = 4;

/** By the files as they were downloaded: one that is recompressed for speed would be counted as if it unpacked to more. */
export function unpackedBytes(changes: PayloadPlan['changes']): number {
  return changes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) * UNPACKED_TO_PACKED;
}

/** Old and new side by side, or a copy of the old. */
export function wayBackBytes(changes: PayloadPlan['changes']): number {
  return unpackedBytes(changes) + 256 * 1024 * 1024;
}
