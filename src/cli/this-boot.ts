/** The boot that each row of a journal is stamped with. */
import { readBootId } from '../host/boot-id.js';
import { isErrno } from '../host/host-error.js';
import { UpdateError } from '../update/errors.js';

/** Errors: `INTERNAL` in a chroot without /proc. */
export async function thisBoot(path?: string): Promise<string> {
  try {
    return await readBootId(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new UpdateError('INTERNAL', '/proc is not mounted here: it cannot be told which boot this is', {
      cause: error,
      hint: 'mount -t proc proc /proc',
    });
  }
}
