/**
 * The one error class of the host layer: what the machine, not the update, refused.
 *
 * Callers decide by `code`; the message is for people. Errors of plain file operations are not wrapped: they stay
 * Node's own system errors, which `isErrno` tells apart.
 */
export type HostErrorCode =
  | 'COMMAND_NOT_FOUND' // no such program on the PATH, or it cannot be executed
  | 'COMMAND_FAILED' // could not be run to its end: no memory, bad working folder, over its time
  | 'LOCK_HELD' // somebody else has the lock; the message names the process
  | 'BUS_ABSENT' // nobody listens on the bus address
  | 'BUS_GONE' // the connection broke before the reply came
  | 'BUS_TIMEOUT' // no reply within the deadline
  | 'BUS_REFUSED' // an error reply; see `busErrorName`
  | 'POWER_INHIBITED' // an inhibitor lock is in the way and was to be respected
  | 'POWER_REFUSED' // no rung of the power ladder worked
  | 'EXCHANGE_UNSUPPORTED' // no `mv --exchange` here, or the file system cannot
  | 'NOT_AN_ARCHIVE' // no archive of ar(5), or one that was cut
  | 'TOO_MUCH_OUTPUT' // a command printed more than it may
  | 'FILE_CHANGED' // a file does not end where it ended before: somebody else writes it
  | 'NOT_A_FILE'; // a regular file was expected: found a link, folder, device or pipe

export interface HostErrorDetails {
  cause?: unknown;
  /** The D-Bus error name of a `BUS_REFUSED`, such as `org.freedesktop.DBus.Error.UnknownMethod`. */
  busErrorName?: string;
}

export class HostError extends Error {
  override readonly name = 'HostError';
  readonly code: HostErrorCode;
  readonly busErrorName: string | undefined;

  constructor(code: HostErrorCode, message: string, details: HostErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.busErrorName = details.busErrorName;
  }
}

/** True for a HostError with one of these codes. */
export function isHostError(error: unknown, ...codes: HostErrorCode[]): error is HostError {
  return error instanceof HostError && codes.includes(error.code);
}

/** True for a system error of Node with one of these names, such as `ENOENT`. */
export function isErrno(error: unknown, ...codes: string[]): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}
