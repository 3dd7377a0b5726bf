/** A way back. One file or folder a provider; `none` is the provider of hosts without snapshots. */
import type { FallbackMark } from '../update/fallback-mark.js';
import type { Policy } from '../update/policy.js';

export interface Support {
  usable: boolean;
  /** Why not, or what it would do. */
  reason: string;
  /** What it would copy right away, beside what old and new system have apart later. */
  copiedBytes?: number;
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

/** For `prune`: the root before the newest confirmed update. */
export const KEPT_FALLBACKS = 1;

export interface SnapshotProvider {
  readonly name: string;
  /** Usable here? Why not? Would the fallback boot? */
  probe(otherwise?: WithoutSnapshots): Promise<Support>;
  /**
   * Returns only when a crash from now on boots the old root (DESIGN, invariant 4), which then holds a mark
   * (update/fallback-mark.ts). When it throws, the running root still boots next.
   */
  armFallback(id: string, otherwise?: WithoutSnapshots): Promise<Fallback>;
  /** The updated root boots next; the old one is kept. */
  commit(fallback: Fallback): Promise<void>;
  /** The fallback boots next, and holds journal, log and report of the update `id` (invariant 12). */
  revert(fallback: Fallback, id: string): Promise<void>;
  /** In a boot of the fallback: brings over what the failed root tells of the update, if it is still there. */
  collect(mark: FallbackMark): Promise<void>;
  /** Kept fallbacks, the newest first. */
  list(): Promise<Fallback[]>;
  /** Removes only its own: all failed roots, and the fallbacks but for the newest `keep`. */
  prune(keep: number): Promise<void>;
}
