/**
 * Whether the soft-reboot that was decided on by what the plan changes is still enough: looked at before the install and
 * after it, since a maintainer script or a hook may have changed what no package name told of, and somebody may have
 * changed it between the trigger and this boot.
 */
import { changedParts, readEarlyParts, type EarlyParts } from '../update/early-parts.js';
import { asUpdateError, UpdateError } from '../update/errors.js';
import { owedReboot } from '../update/owed-reboot.js';
import { FEW, someOf } from '../update/some-of.js';
import type { Ports } from './ports.js';

/**
 * Called before the first change; what it returns is called after the last one and tells why not, or undefined. Neither
 * rejects: what cannot be looked at is a reason, and no update waits for it.
 */
export async function watchForFullReboot({
  fs,
  paths,
  runningSystem,
}: Pick<Ports, 'fs' | 'paths' | 'runningSystem'>): Promise<() => Promise<string | undefined>> {
  const look = (): Promise<EarlyParts | UpdateError> => readEarlyParts(fs, paths.root).catch(asUpdateError);
  const owed = await owedReboot(fs, paths.root, runningSystem);
  const before = await look();
  return async () => {
    const why = changeBetween(before, await look()) ?? owed;
    return why === undefined ? undefined : `a soft-reboot is not enough: ${why}`;
  };
}

function changeBetween(
  before: EarlyParts | UpdateError,
  after: EarlyParts | UpdateError,
): string | undefined {
  const unseen = (error: UpdateError): string => `what changed cannot be told: ${error.message}`;
  if (before instanceof UpdateError) return unseen(before);
  if (after instanceof UpdateError) return unseen(after);
  const changed = changedParts(before, after);
  return changed.length > 0 ? `${someOf(changed, FEW)} changed` : undefined;
}
