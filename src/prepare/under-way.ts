/** Is a boot at work on the update? Then nobody else touches its stage, its links or its state. */
import { exists } from '../host/exists.js';
import { ifThere } from '../host/if-there.js';
import { copyAhead } from '../update/copy-ahead.js';
import { UpdateError } from '../update/errors.js';
import type { UpdateState } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import type { Online } from './online.js';

/**
 * Errors: `BUSY` in the update boot itself; `WRONG_STATE` when an attempt was interrupted, whose files are all that can
 * make the machine whole, or waits for its confirmation, or for the boot that puts back what it replaced.
 */
export async function refuseUnderWay(online: Online, update: KnownUpdate): Promise<void> {
  const { id, journal } = update;
  const { state } = journal;
  if (await isAtWork(online, state)) {
    throw new UpdateError('BUSY', `update ${id} is being installed in this very boot`, {
      hint: 'offline-update status',
    });
  }
  if (state.name === 'claimed' || state.name === 'installing') {
    throw new UpdateError('WRONG_STATE', `update ${id} was interrupted; the next boot goes on with it`, {
      hint: 'systemctl reboot',
    });
  }
  if (state.name === 'installed') {
    if (await copyAhead(online)) {
      throw new UpdateError(
        'WRONG_STATE',
        `the machine is not healthy after update ${id}; the next boot puts back what it replaced`,
        { hint: 'systemctl reboot' },
      );
    }
    throw new UpdateError('WRONG_STATE', `update ${id} is installed and waits for its confirmation`, {
      hint: 'systemctl start offline-update-confirm.service',
    });
  }
}

/** Is it this very boot that works on the update? */
export async function isAtWork(online: Online, state: UpdateState): Promise<boolean> {
  const { bootId } = online.moment;
  if (state.name === 'armed') return (await lastClaim(online)) === bootId;
  if (!('claimedIn' in state) || state.claimedIn !== bootId) return false;
  // A soft-reboot keeps the boot id: the boot that confirms may have the same one.
  return state.name !== 'installed' || exists(online.fs, online.paths.updateBoot);
}

/** The shell writes a boot id before Node starts, so this is known even when Node never did. */
async function lastClaim({ fs, paths }: Online): Promise<string | undefined> {
  const claims = await ifThere(fs.readFile(paths.claims));
  return claims?.trim().split('\n').at(-1);
}
