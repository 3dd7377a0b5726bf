/**
 * Whether the soft-reboot that was decided on by what the plan changes is still enough: looked at before the install and
 * after it, since a maintainer script or a hook may have changed what no package name told of, and somebody may have
 * changed it between the trigger and this boot.
 */
import { changedParts, readEarlyParts } from '../update/early-parts.js';
import { owedReboot } from '../update/owed-reboot.js';
import { someOf } from '../update/reboot-kind.js';
import type { Ports } from './ports.js';

/** Called before the first change; what it returns is called after the last one and tells why not, or undefined. */
export async function watchForFullReboot({
  fs,
  paths,
  runningSystem,
}: Pick<Ports, 'fs' | 'paths' | 'runningSystem'>): Promise<() => Promise<string | undefined>> {
  const owed = await owedReboot(fs, paths.root, await runningSystem());
  const before = await readEarlyParts(fs, paths.root);
  return async () => {
    const changed = changedParts(before, await readEarlyParts(fs, paths.root));
    const why = changed.length > 0 ? `${someOf(changed)} changed` : owed;
    return why === undefined ? undefined : `a soft-reboot is not enough: ${why}`;
  };
}
