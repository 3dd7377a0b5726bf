/**
 * What a benchmark is: it compares ours with something that does the same, in one run, interleaved, so that noise of the
 * machine meets both. Or it holds ours against a number.
 */
import type { Layer, Machine } from '../test/laboratory/laboratory.js';

export interface Wishes {
  /** How often each side of a comparison runs. */
  runs: number;
  /** How many packages, where a measurement `takesSizes`; undefined: as it is usual there. */
  sizes: readonly number[] | undefined;
  /** Where a measurement `takesRows`, only those are measured that have this in their name. */
  rows: string;
  /** For orders that are drawn: from 0 up to 1, the same in each run with the same seed. */
  random: () => number;
  say(line: string): void;
}

/** Makes machines for the runs; each layer is made once for all measurements. */
export interface Bench extends Wishes {
  /** Debian 13 with our .deb, version 1 of a hundred tiny packages, and their version 2 in a local repository. */
  installed(): Promise<Layer>;
  /** The same with that update prepared. */
  prepared(): Promise<Layer>;
  /** The same, armed: the next boot is the update boot. */
  armed(): Promise<Layer>;
  /** The same, with a copy as the way back; all others go without one. */
  armedWithCopy(): Promise<Layer>;
  /** A machine that writes to the disk, since what is measured is also the disk; gone after `use`. */
  withMachine<T>(layer: Layer, use: (machine: Machine) => Promise<T>): Promise<T>;
}

export interface Result {
  what: string;
  unit: 's' | 'ms' | 'MB' | '%';
  ours: readonly number[];
  /** What ours is compared with. */
  peer?: { name: string; values: readonly number[] };
  /**
   * `ratio`: median of ours to median of the peer, at most. `most`: median of ours, at most. Left out where the figure
   * explains another one and nothing was promised.
   */
  target?: { ratio: number } | { most: number };
}

export interface Measurement {
  name: string;
  about: string;
  /** It takes minutes, or much room. */
  onlyByName?: boolean;
  /** It asks for `sizes`. */
  takesSizes?: boolean;
  /** It asks for `rows`. */
  takesRows?: boolean;
  /** It asks for `random`. */
  drawsTurns?: boolean;
  measure(bench: Bench): Promise<Result[]>;
}
