/**
 * Is a copy still to be put back? Its claimed link leads the next boot there; one that was led past that keeps both, and comes
 * to no verdict. Without an open update they are of a rollback, whatever is prepared meanwhile. Beside one they are of its
 * own way back, if it has taken that: else a power cut kept the copy of a proven update from being put out of use.
 */
import { exists } from '../host/exists.js';
import type { KnownUpdate } from '../update/store.js';
import { readTriggers } from '../update/trigger-link.js';
import type { Ports } from './ports.js';
import { reasonToRevert } from './unhealthy.js';

export async function copyIsAhead(
  { fs, paths }: Pick<Ports, 'fs' | 'paths'>,
  update: KnownUpdate | undefined,
): Promise<boolean> {
  const triggers = await readTriggers(fs, paths.triggers);
  if (!triggers.some(({ claimed }) => claimed.kind === 'ours')) return false;
  if (!(await exists(fs, paths.copyArmed))) return false;
  if (!update || !(await exists(fs, paths.open))) return true;
  const { rows, state } = update.journal;
  return state.name === 'reverted' || (state.name === 'installed' && reasonToRevert(rows) !== undefined);
}
