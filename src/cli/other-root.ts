/** `--root`, where it cannot be meant: package manager, units and kernel answer for the running system alone. */
import { UpdateError } from '../update/errors.js';

/** Errors: `USAGE` for another root than `/`. */
export function refuseOtherRoot(root: string, verb: string): void {
  if (root === '/') return;
  throw new UpdateError(
    'USAGE',
    `${verb} asks the running system, whatever folder the files are in: no --root`,
    { hint: `chroot ${root} offline-update ${verb}` },
  );
}
