/**
 * Errors as the bus tells them: `org.offlineupdate1.Error.CODE` with the words of the command, the next step on a line of
 * its own. A caller who may be asked for a password, and did not say so, gets the error that the desktops know.
 */
import { asUpdateError, type UpdateErrorCode } from '../update/errors.js';

export interface BusErrorText {
  name: string;
  text: string;
}

/** The caller's user could be asked for a password, but the call does not allow it. */
export class InteractionRequired extends Error {}

export function busErrorOf(error: unknown): BusErrorText {
  if (error instanceof InteractionRequired) {
    return { name: 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired', text: error.message };
  }
  const { code, message, hint } = asUpdateError(error);
  return { name: nameOf(code), text: hint === undefined ? message : `${message}\n  next: ${hint}` };
}

function nameOf(code: UpdateErrorCode): string {
  return `org.offlineupdate1.Error.${code}`;
}
