/**
 * The attempt, read top to bottom. A row's `undo` is what makes up for its failure; a row without
 * one either has changed nothing yet, or says why it cannot be undone.
 */
import type { PhaseName } from '../update/events.js';
import type { Attempt } from './attempt.js';
import { check, checkAgain } from './check.js';
import { commit } from './commit.js';
import { heal, install, rollForward } from './install.js';
import { afterHooks, beforeHooks } from './install-hooks.js';
import { armFallback, giveUp, strayed } from './fallback.js';
import { verify } from './verify.js';

export interface Phase {
  phase: PhaseName;
  run: (attempt: Attempt) => Promise<void>;
  /** Resolves when the phase's promise is kept after all; throws when the attempt has failed. */
  undo?: (attempt: Attempt, error: unknown) => Promise<void>;
}

/** Nothing is changed before `install`: a failure until there ends as `refused`. */
export const freshAttempt: readonly Phase[] = [
  { phase: 'check', run: check },
  { phase: 'before', run: beforeHooks },
  { phase: 'snapshot', run: armFallback },
  { phase: 'install', run: install, undo: heal },
  { phase: 'verify', run: verify, undo: giveUp },
  { phase: 'after', run: afterHooks, undo: giveUp },
  // A commit that fails is taken back with all the rest: either root is a whole system.
  { phase: 'commit', run: commit },
];

/** An attempt was cut short in mid-install, and the fallback boots next: nothing is done in this root any more. */
export const strayedAttempt: readonly Phase[] = [{ phase: 'revert', run: strayed }];

/** An attempt was cut short in mid-install and there is no fallback: roll forward from the sealed files. */
export const resumedAttempt: readonly Phase[] = [
  { phase: 'check', run: checkAgain },
  { phase: 'heal', run: rollForward, undo: giveUp },
  { phase: 'verify', run: verify, undo: giveUp },
  { phase: 'after', run: afterHooks, undo: giveUp },
  { phase: 'commit', run: commit },
];
