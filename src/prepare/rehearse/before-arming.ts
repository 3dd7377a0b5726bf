/**
 * The rehearsal as the last question before an update is armed. Where it cannot be carried out, the update goes on with
 * a warning, unless the policy requires it.
 */
import type { Progress } from '../../payloads/payload.js';
import { UpdateError } from '../../update/errors.js';
import type { Finding } from '../../update/finding.js';
import type { Policy } from '../../update/policy.js';
import type { Rehearsal } from '../../update/rehearsal.js';
import type { KnownUpdate } from '../../update/store.js';
import type { Online } from '../online.js';
import type { RehearsalMachine, SealedPlan } from './rehearse.js';
import { passedRehearsal, rehearseUpdate } from './rehearse-update.js';

export interface RehearsalOptions {
  machine: RehearsalMachine;
  /** False: not this time (`--no-rehearse`). */
  isWanted: boolean;
  on: Progress;
}

export interface Rehearsed {
  /** Null when there was none. */
  rehearsal: Rehearsal | null;
  /** It was carried out just now, and is not one that is known from before. */
  isNew: boolean;
  findings: Finding[];
}

/** Errors: `REHEARSAL_FAILED`; `REHEARSAL_UNAVAILABLE` when the policy requires one. */
export async function rehearseBeforeArming(
  online: Online,
  { rehearse }: Policy,
  { machine, isWanted, on }: RehearsalOptions,
  update: KnownUpdate,
  sealed: SealedPlan,
): Promise<Rehearsed> {
  if (!isWanted && rehearse === 'require') {
    throw new UpdateError('REHEARSAL_UNAVAILABLE', 'the policy says rehearse = "require"', {
      hint: 'offline-update trigger',
    });
  }
  if (!isWanted || rehearse === false) return { rehearsal: null, isNew: false, findings: [] };
  const known = await passedRehearsal(online, update, sealed);
  if (known) return { rehearsal: known, isNew: false, findings: [] };
  try {
    const rehearsal = await rehearseUpdate(online, machine, update, sealed, on);
    return { rehearsal, isNew: true, findings: [] };
  } catch (error) {
    const isOptional = rehearse !== 'require';
    if (!isOptional || !(error instanceof UpdateError) || error.code !== 'REHEARSAL_UNAVAILABLE') throw error;
    const remedy = 'none is needed; the update boot goes back or makes the packages whole should it fail';
    return {
      rehearsal: null,
      isNew: false,
      findings: [{ check: 'rehearsal', severity: 'warn', evidence: error.message, remedy }],
    };
  }
}
