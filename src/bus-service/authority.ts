/**
 * Who may do what: root everything, others what polkit says (org.offlineupdate1.policy). Without polkit only root may.
 *
 * Errors: `NOT_PERMITTED`; `InteractionRequired` when polkit would ask and the call does not let it.
 */
import type { Bus } from '../host/bus.js';
import type { Caller } from '../host/bus-object.js';
import { isHostError } from '../host/host-error.js';
import { checkAuthorization, userOfSender, type Authorization, type Question } from '../host/polkit.js';
import { UpdateError } from '../update/errors.js';
import { InteractionRequired } from './bus-error.js';

export type PolkitAction = 'prepare' | 'trigger' | 'manage';

export interface Authority {
  /** `instead`: what root would type, told to who is refused. */
  permit(action: PolkitAction, caller: Caller, instead: string): Promise<void>;
}

export interface AuthorityParts {
  call: Bus['call'];
  /** The user who needs no permission: 0. */
  superuser: number;
}

export function polkitAuthority({ call, superuser }: AuthorityParts): Authority {
  return {
    async permit(action, { name: sender, isInteractive }, instead) {
      if ((await userOfSender(call, sender)) === superuser) return;
      const question = { action: `org.offlineupdate1.${action}`, sender, isInteractive };
      const { isAuthorized, isChallenge } = await ask(call, question, instead);
      if (isAuthorized) return;
      if (isChallenge && !isInteractive) {
        throw new InteractionRequired('polkit asks for a password first, and the call does not allow that');
      }
      throw notPermitted(instead, 'polkit did not permit it');
    },
  };
}

async function ask(call: Bus['call'], question: Question, instead: string): Promise<Authorization> {
  try {
    return await checkAuthorization(call, question);
  } catch (error) {
    if (!isHostError(error, 'BUS_REFUSED', 'BUS_TIMEOUT')) throw error;
    const isAbsent = error.busErrorName === 'org.freedesktop.DBus.Error.ServiceUnknown';
    throw notPermitted(instead, isAbsent ? 'only root may do this: polkit is not installed' : error.message);
  }
}

function notPermitted(instead: string, message: string): UpdateError {
  return new UpdateError('NOT_PERMITTED', message, { hint: `sudo ${instead}` });
}
