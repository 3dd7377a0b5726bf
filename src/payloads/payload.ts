/**
 * What can be installed offline. Each kind (deb packages, later a system image, a release, a module) implements this
 * one interface; nothing above `payloads/` knows a package manager.
 */
import type { Syncs } from '../update/events.js';
import type { Finding } from '../update/finding.js';
import type { Policy } from '../update/policy.js';

export interface Request {
  mode: 'upgrade' | 'full-upgrade' | 'packages' | 'plugin';
  /** Names for `packages`. */
  packages: readonly string[];
  /** Whether to fetch the indexes anew first. */
  refresh: boolean;
  policy: Policy;
  /** Once it is given the indexes are not fetched any more. */
  signal?: AbortSignal;
}

/** The folder that holds a plan's files: the one being built in `prepare`, the sealed one later. */
export interface Stage {
  path: string;
}

/** One event stream for every sink. `percent` never goes back and reaches 100 only at the true end. */
export interface ProgressEvent {
  percent: number;
  /** What is being worked on, e.g. a package name. */
  item?: string;
  text: string;
  itemsDone?: number;
  itemsTotal?: number;
  bytesDone?: number;
  bytesTotal?: number;
  /** Nothing has moved for the stall timeout; true until something does. */
  stalled?: boolean;
}
export type Progress = (event: ProgressEvent) => void;

export interface InstallOptions {
  policy: Policy;
  /** Everything the package manager and its scripts print, appended. */
  terminalLog: string;
  /** `suppressed`: the caller syncs all file systems afterwards, and can throw away all that is done until then. */
  syncs: Syncs;
  /**
   * Whatever becomes of it, the untouched old root boots: the system need not be whole at each moment of the install, so
   * that it may be made in the order that is quickest.
   */
  revertible: boolean;
}

/** A question that got its default. */
export interface Question {
  name: string;
  /** `select`, `boolean`, ... */
  type: string;
  /** One line. */
  text: string;
  answer: string;
}

/** By their path in the stage. */
export type KnownHashes = ReadonlyMap<string, Promise<string>>;

export interface Payload<P> {
  /** Online: exactly what would change. Errors: `NOTHING_TO_DO`, `PLAN_FAILED`, `BUSY`, `SOURCE_*`. */
  plan(request: Request): Promise<P>;
  /**
   * Brings every file of the plan into the stage, resuming what an earlier run left there. Resolves as soon as all are
   * there, with the SHA-256 of those that it reads on the way (by their path in the stage), of which some may still be
   * counted: the seal need not read those once more. Once `signal` is given, no program and no file is begun any more, and
   * it rejects as soon as what was begun has ended.
   */
  fetch(plan: P, stage: Stage, on: Progress, signal?: AbortSignal): Promise<KnownHashes>;
  /** Once all files are there: would the package manager do exactly the plan with them? Errors: `PLAN_FAILED`. */
  agree(plan: P, stage: Stage): Promise<void>;
  /**
   * What would stall or break it, seen from the running system or at the start of the update boot. Nothing of the stage
   * is read before `plan`, which may still be on its way to be proven.
   */
  preflight(plan: P | Promise<P>, stage: Stage): Promise<Finding[]>;
  /** What a person should know before the reboot, seen from the running system. */
  advise(plan: P, policy: Policy): Promise<Finding[]>;
  /** Update boot: the change itself. Errors: `INSTALL_FAILED`, `INSTALL_STALLED`. */
  install(plan: P, stage: Stage, on: Progress, options: InstallOptions): Promise<void>;
  /**
   * Whether all of the plan is really there (invariant 9); no finding means yes. `ordinary`: in a boot where
   * others may install as well; they are waited for, and what is newer than planned is there, too. Errors: `BUSY`.
   */
  verify(plan: P, boot?: 'update' | 'ordinary'): Promise<Finding[]>;
  /**
   * Names of what is installed again at the version that it has: `verify` finds the same of it before and after, so that an
   * install that ended without an error is all that tells.
   */
  installedAgain(plan: P): string[];
  /** After an interruption without a fallback: rolls forward from the files of the stage (invariant 5). */
  heal(plan: P, stage: Stage, on: Progress, options: InstallOptions): Promise<void>;
  /** Does it write what a fallback does not hold, such as a boot loader? */
  writesBootLoader(plan: P): boolean;
  /** What packages asked and nobody answered, in this system so far; a rehearsal compares before and after. */
  questions(): Promise<Question[]>;
  /** What `install` and `leftovers` have to know of the unchanged system; asked some moments before `install`, or by it. */
  lookAhead?(plan: P, terminalLog: string): Promise<unknown>;
  /** Files that the change left for a person to look at. */
  leftovers(plan: P): Promise<{ path: string; leftover: string }[]>;
}
