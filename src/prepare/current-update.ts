/**
 * The current update as a verb that wants to replace it sees it.
 */
import { UpdateError } from '../update/errors.js';
import type { KnownUpdate } from '../update/store.js';
import type { StateName } from '../update/state.js';
import type { Online } from './online.js';

/** In these a boot may work on the update, or is about to: its stage must stay as it is. */
const inUse = ['armed', 'claimed', 'installing', 'installed'] as const satisfies StateName[];

function isInUse(state: StateName): state is (typeof inUse)[number] {
  return (inUse as readonly StateName[]).includes(state);
}

/**
 * The update whose plan may be replaced now; undefined when there is none. A staged plan that cannot be read is none:
 * to prepare again is the way out of it. Errors: `ARMED`, `BLOCKED`, `JOURNAL_CORRUPT`.
 */
export async function replaceableUpdate({ store }: Pick<Online, 'store'>): Promise<KnownUpdate | undefined> {
  const current = await store.current().catch((error: unknown) => {
    if (error instanceof UpdateError && unreadable.has(error.code)) return undefined;
    throw error;
  });
  if (!current) return undefined;
  const state = current.journal.state;
  if (state.name === 'blocked') {
    throw new UpdateError('BLOCKED', `update ${current.id} is blocked: ${state.reason.message}`, {
      hint: 'offline-update clean',
    });
  }
  if (isInUse(state.name)) throw inUseError(current.id, state.name);
  return current;
}

const unreadable = new Set(['PLAN_INVALID', 'FORMAT_TOO_NEW']);

function inUseError(id: string, state: (typeof inUse)[number]): UpdateError {
  switch (state) {
    case 'armed':
      return new UpdateError('ARMED', `update ${id} is armed and will be installed in the next boot`, {
        hint: 'offline-update cancel',
      });
    case 'claimed':
    case 'installing':
      return new UpdateError(
        'ARMED',
        `update ${id} is being installed; an interrupted one goes on in the next boot`,
        {
          hint: 'offline-update status',
        },
      );
    case 'installed':
      return new UpdateError('ARMED', `update ${id} is installed and not yet confirmed`, {
        hint: 'systemctl start offline-update-confirm.service',
      });
  }
}
