/**
 * Exit codes of the command (offline-update(8), EXIT STATUS). The map is total: a new error code does not compile until
 * it has its exit code.
 */
import type { UpdateErrorCode } from '../update/errors.js';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notPermitted: 3,
  nothingToDo: 4,
  blocked: 5,
  busy: 6,
  foreign: 7,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const { failed, usage, notPermitted, nothingToDo, blocked, busy, foreign } = exitCodes;

export const exitCodeOf: Record<UpdateErrorCode, ExitCode> = {
  USAGE: usage,
  CONFIG_INVALID: usage,
  REQUEST_INVALID: usage,
  UNKNOWN_UPDATE: usage,
  NOT_PERMITTED: notPermitted,
  UNITS_ONLY: notPermitted,
  NOTHING_TO_DO: nothingToDo,
  BUSY: busy,
  FOREIGN_TRIGGER: foreign,
  // The way on is not free: something has to be done before the same command can work.
  PREFLIGHT_BLOCKED: blocked,
  MANAGER_UNSUPPORTED: blocked,
  SCHEDULED: blocked,
  SCHEDULE_INVALID: blocked,
  SCHEDULE_MISSED: blocked,
  NOT_NOW: blocked,
  REBOOT_WITHDRAWN: blocked,
  REHEARSAL_FAILED: blocked,
  REHEARSAL_UNAVAILABLE: blocked,
  PLAN_MISSING: blocked,
  PLAN_INVALID: blocked,
  PLAN_TAMPERED: blocked,
  FORMAT_TOO_NEW: blocked,
  STAGE_MISSING: blocked,
  STAGE_OWNER: blocked,
  STAGE_MODE: blocked,
  STAGE_WORLD_WRITABLE: blocked,
  STAGE_SYMLINK: blocked,
  STAGE_NOT_A_FILE: blocked,
  STAGE_FILE_MISSING: blocked,
  STAGE_UNEXPECTED_FILE: blocked,
  STAGE_TRUNCATED: blocked,
  STAGE_SWAPPED: blocked,
  STAGE_TAMPERED: blocked,
  WRONG_STATE: blocked,
  ARMED: blocked,
  BLOCKED: blocked,
  FAILED_BEFORE: blocked,
  DRIFT: blocked,
  DATABASE_DIRTY: blocked,
  SNAPSHOT_UNAVAILABLE: blocked,
  PLAN_FAILED: failed,
  SOURCE_UNSIGNED: failed,
  SOURCE_WITHOUT_HASH: failed,
  DOWNLOAD_FAILED: failed,
  HASH_MISMATCH: failed,
  CANCELLED: failed,
  JOURNAL_CORRUPT: failed,
  TRIGGER_VANISHED: failed,
  HOOK_FAILED: failed,
  INSTALL_FAILED: failed,
  INSTALL_STALLED: failed,
  INSTALL_INTERRUPTED: failed,
  VERIFY_FAILED: failed,
  HEALTH_FAILED: failed,
  BASELINE_INVALID: failed,
  ATTEMPTS_USED_UP: failed,
  EARLY_BOOT_FAILED: failed,
  SERVICE_CRASHED: failed,
  SNAPSHOT_FAILED: failed,
  INTERNAL: failed,
};

/** When the command neither ended nor failed: a promise that never settled. EX_SOFTWARE of sysexits(3). */
export const HUNG_EXIT_CODE = 70;
