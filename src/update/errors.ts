/**
 * The one error class of everything above `host/`. `code` is closed, so that tests and scripts rely on it and never
 * on the text; `hint` is the next command for the person to type.
 */
import { isErrno } from '../host/host-error.js';
import type { Finding } from './finding.js';

export type UpdateErrorCode =
  // usage and permission
  | 'USAGE'
  | 'NOT_PERMITTED'
  | 'CONFIG_INVALID'
  | 'BUSY'
  | 'UNITS_ONLY'
  // the plan
  | 'NOTHING_TO_DO'
  | 'PLAN_FAILED'
  | 'PLAN_MISSING'
  | 'PLAN_INVALID'
  | 'PLAN_TAMPERED'
  | 'FORMAT_TOO_NEW'
  | 'REQUEST_INVALID'
  | 'MANAGER_UNSUPPORTED'
  | 'CANCELLED'
  | 'SOURCE_UNSIGNED'
  | 'SOURCE_WITHOUT_HASH'
  | 'DOWNLOAD_FAILED'
  | 'HASH_MISMATCH'
  // the stage (invariant 7)
  | 'STAGE_MISSING'
  | 'STAGE_OWNER'
  | 'STAGE_MODE'
  | 'STAGE_WORLD_WRITABLE'
  | 'STAGE_SYMLINK'
  | 'STAGE_NOT_A_FILE'
  | 'STAGE_FILE_MISSING'
  | 'STAGE_UNEXPECTED_FILE'
  | 'STAGE_TRUNCATED'
  | 'STAGE_SWAPPED'
  | 'STAGE_TAMPERED'
  // the state machine and the journal
  | 'WRONG_STATE'
  | 'JOURNAL_CORRUPT'
  | 'UNKNOWN_UPDATE'
  | 'ARMED'
  | 'BLOCKED'
  | 'FAILED_BEFORE'
  // the trigger
  | 'FOREIGN_TRIGGER'
  | 'TRIGGER_VANISHED'
  | 'PREFLIGHT_BLOCKED'
  // the time for it
  | 'SCHEDULED'
  | 'SCHEDULE_INVALID'
  | 'SCHEDULE_MISSED'
  | 'NOT_NOW'
  | 'REBOOT_WITHDRAWN'
  // the rehearsal
  | 'REHEARSAL_FAILED'
  | 'REHEARSAL_UNAVAILABLE'
  // the update boot
  | 'DRIFT'
  | 'DATABASE_DIRTY'
  | 'HOOK_FAILED'
  | 'INSTALL_FAILED'
  | 'INSTALL_STALLED'
  | 'INSTALL_INTERRUPTED'
  | 'VERIFY_FAILED'
  | 'HEALTH_FAILED'
  | 'BASELINE_INVALID'
  | 'ATTEMPTS_USED_UP'
  | 'EARLY_BOOT_FAILED'
  | 'SERVICE_CRASHED'
  | 'SNAPSHOT_UNAVAILABLE'
  | 'SNAPSHOT_FAILED'
  | 'INTERNAL';

export interface UpdateErrorOptions {
  cause?: unknown;
  /** The next thing to type, one line. */
  hint?: string;
  /** Of `PREFLIGHT_BLOCKED`: everything that the preflight saw. */
  findings?: readonly Finding[];
}

export class UpdateError extends Error {
  override readonly name = 'UpdateError';
  readonly hint: string | undefined;
  readonly findings: readonly Finding[];

  constructor(
    readonly code: UpdateErrorCode,
    message: string,
    options: UpdateErrorOptions = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.hint = options.hint;
    this.findings = options.findings ?? [];
  }
}

/** What the kernel says of a disk, and where a person looks then. */
const diskHints: [code: string, hint: string][] = [
  ['ENOSPC', 'df -h; df -i; to make room: apt-get clean; journalctl --vacuum-size=100M'],
  ['EDQUOT', 'df -h; quota'],
  ['EROFS', 'findmnt --options ro; journalctl -k -p err'],
  ['EIO', 'journalctl -k -p err'],
];

/** Any thrown thing as an UpdateError: unknown ones become `INTERNAL` with their cause kept. */
export function asUpdateError(error: unknown): UpdateError {
  if (error instanceof UpdateError) return error;
  const disk = diskHints.find(([code]) => isErrno(error, code));
  return new UpdateError('INTERNAL', error instanceof Error ? error.message : String(error), {
    cause: error,
    ...(disk && { hint: disk[1] }),
  });
}

/** An error as JSON, for programs. */
export function errorDocument({ code, message, hint, findings }: UpdateError): { error: object } {
  return { error: { code, message, hint: hint ?? null, ...(findings.length > 0 && { findings }) } };
}
