/**
 * The history does not grow for ever: the newest updates stay, and each that a kept fallback is named after. An update is
 * some hundred kilobytes, most of it what the package manager printed.
 */
import { pathsOfUpdate } from '../update/paths.js';
import type { Ports } from './ports.js';

/** Two years of one a week, and as many again. */
const KEPT_UPDATES = 200;

export async function forgetOldest({ store, snapshots, files, paths }: Ports): Promise<void> {
  const oldest = (await store.ids()).slice(KEPT_UPDATES);
  if (oldest.length === 0) return;
  const named = new Set((await snapshots.list()).map(({ id }) => id));
  for (const id of oldest) {
    if (!named.has(id)) await files.removeTree(pathsOfUpdate(paths, id).folder);
  }
}
