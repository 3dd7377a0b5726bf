/** A way back. One file or folder a provider; `none` is the provider of hosts without snapshots. */
import type { FallbackMark } from '../update/fallback-mark.js';
import type { Policy } from '../update/policy.js';
import type { Finding } from '../update/finding.js';

export interface Support {
  usable: boolean;
  /** Why not, or what it would do. */
  reason: string;
  /** Which one that would be; left out where there is none. */
  provider?: string;
  /** Measures what it would copy right away, beside what old and new system have apart later. Left out: nothing. */
  copiedBytes?: () => Promise<number>;
}

/** What is to be done where `/` has no snapshots; only a choice between providers heeds it. */
export type WithoutSnapshots = Policy['withoutSnapshots'];

/** The untouched old root, named so that its provider finds it again in any boot. */
export interface Fallback {
  provider: string;
  reference: string;
  /** What the update changes although the fallback is armed: that has to be whole for the way back to begin. */
  inPlace?: string;
}

export interface ArmingOptions {
  otherwise?: WithoutSnapshots;
  /**
   * Before it resolves the running root boots next, and only what changes nothing of that may be made; if it rejects, so does
   * the arming, and leaves nothing.
   */
  when?: Promise<unknown>;
}

/** One that stays after its update, for `rollback`. */
export interface KeptFallback extends Fallback {
  /** Of the update, or of the rollback, before which it was what the machine ran. */
  id: string;
  /** Ids of the updates that are in it; left out where it is told by age alone: all confirmed before `id`. */
  holds?: readonly string[];
  /** What goes back with it and what stays as it is, one sentence. */
  covers: string;
}

/** One step of a drill: what was proven, and how long it took. */
export interface DrillStep {
  step: string;
  seconds: number;
  findings: Finding[];
}

export interface SnapshotProvider {
  readonly name: string;
  /** Usable here? Why not? Would the fallback boot? */
  probe(otherwise?: WithoutSnapshots): Promise<Support>;
  /**
   * Returns only when a crash from now on boots the old root (invariant 4), which then holds a mark
   * (update/fallback-mark.ts). When it throws, the running root still boots next.
   */
  armFallback(id: string, options?: ArmingOptions): Promise<Fallback>;
  /**
   * The updated root boots next; the old one is kept. Not before `when` resolves, and if it rejects, this does; what needs
   * only looking up is looked up at once.
   */
  commit(fallback: Fallback, when?: Promise<unknown>): Promise<void>;
  /**
   * The fallback boots next, and holds journal, log and report of the update `id` (invariant 12). With `keepAs` the
   * present root is no failed one: where the provider can, it stays as a fallback of that id, to go forward to.
   */
  revert(fallback: Fallback, id: string, keepAs?: string): Promise<void>;
  /** In a boot of the fallback: brings over what the other root tells of updates, if it is still there. */
  collect(mark: FallbackMark): Promise<void>;
  /** Kept fallbacks, the newest first. */
  list(): Promise<KeptFallback[]>;
  /** Bytes that removing it would free, by walking through it; undefined when it cannot be told. */
  sizeOf?(fallback: Fallback): Promise<number | undefined>;
  /**
   * Removes only its own: all failed roots, the fallbacks but for the newest `keep`, and all but the newest one while
   * less than `minimumFreePercent` of the file system are free.
   */
  prune(keep: number, minimumFreePercent?: number): Promise<void>;
  /**
   * Rehearses the way back on this machine, for real and with no change: armed, looked at as the boot will, committed,
   * removed. The running root boots next when it settles. Left out where that cannot be done.
   */
  drill?(id: string): Promise<DrillStep[]>;
  /** What `armFallback` and `commit` have tidied up behind them is done. */
  settled?(): Promise<void>;
}
