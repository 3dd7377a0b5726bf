/** What one attempt carries through its phases. */
import type { Fallback } from '../snapshots/snapshot-provider.js';
import type { Syncs } from '../update/events.js';
import type { Plan } from '../update/plan.js';
import type { KnownUpdate } from '../update/store.js';
import type { Arming } from './fallback.js';
import type { Ports } from './ports.js';
import type { ProgressReporter } from './progress.js';

export interface Attempt {
  ports: Ports;
  update: KnownUpdate;
  /** From the history folder until the phase `check` has proven that the stage holds the very same. */
  plan: Plan;
  expectedPlanHash: string;
  number: number;
  /** How the package manager's syncs were made; undefined before the phase `install`. */
  syncs?: Syncs;
  /** The way back, when it was begun ahead. */
  arming?: Arming;
  /** Made by the phase `snapshot`; the way back of every later phase. */
  fallback: Fallback | undefined;
  /** The first of the pair that snapper shows. */
  snapper?: { configuration: string; pre: number };
  progress: ProgressReporter;
}
