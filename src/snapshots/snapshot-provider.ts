/** A way back. One file a provider; `none` is the provider of hosts without snapshots. */

export interface Support {
  usable: boolean;
  /** Why not, or what it would do. */
  reason: string;
}

/** The untouched old root, named so that its provider finds it again in any boot. */
export interface Fallback {
  provider: string;
  reference: string;
}

export interface SnapshotProvider {
  readonly name: string;
  /** Usable here? Why not? Would the fallback boot? */
  probe(): Promise<Support>;
  /** Returns only when a crash from now on boots the old root (DESIGN, invariant 4). */
  armFallback(id: string): Promise<Fallback>;
  /** The updated root boots next. */
  commit(fallback: Fallback): Promise<void>;
  revert(fallback: Fallback): Promise<void>;
  list(): Promise<Fallback[]>;
  /** Removes only its own, the oldest first. */
  prune(keep: number): Promise<void>;
}
