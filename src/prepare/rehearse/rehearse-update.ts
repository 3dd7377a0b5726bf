/**
 * The rehearsal of a prepared update and its record beside the plan. One that has passed is good for the same plan on
 * the same packages and is not repeated; one that failed is, since the reason may be mended meanwhile.
 */
import type { Progress } from '../../payloads/payload.js';
import { UpdateError } from '../../update/errors.js';
import type { Rehearsal } from '../../update/rehearsal.js';
import type { KnownUpdate } from '../../update/store.js';
import type { Online } from '../online.js';
import { readRehearsal } from './rehearsal-file.js';
import { rehearse, type RehearsalMachine, type SealedPlan } from './rehearse.js';

/** Undefined where one is still to be carried out. */
export async function passedRehearsal(
  { fs }: Pick<Online, 'fs'>,
  update: KnownUpdate,
  sealed: SealedPlan,
): Promise<Rehearsal | undefined> {
  const known = await readRehearsal(fs, update).catch(() => undefined);
  const isGood =
    known?.outcome === 'passed' &&
    known.planHash === sealed.planHash &&
    known.baseFingerprint === sealed.plan.payload.baseFingerprint;
  return isGood ? known : undefined;
}

/** Errors: `REHEARSAL_FAILED` with the reason; `REHEARSAL_UNAVAILABLE`. */
export async function rehearseUpdate(
  online: Online,
  machine: RehearsalMachine,
  update: KnownUpdate,
  sealed: SealedPlan,
  on: Progress,
): Promise<Rehearsal> {
  const known = await passedRehearsal(online, update, sealed);
  if (known) return known;
  const rehearsal = await rehearse(online, machine, sealed, on);
  // For everybody to read, and what a hook printed is for who asked for the rehearsal alone.
  const record = { ...rehearsal, hooks: rehearsal.hooks.map((ran) => ({ ...ran, output: '' })) };
  await online.files.replace(update.paths.rehearsal, `${JSON.stringify(record, null, 1)}\n`, 0o644);
  if (rehearsal.reason) {
    throw new UpdateError('REHEARSAL_FAILED', `the rehearsal failed${said(rehearsal)}`, {
      hint: 'put that right, or hold the package back (apt-mark hold), then offline-update prepare',
    });
  }
  return rehearsal;
}

function said({ reason, phases }: Rehearsal): string {
  const phase = phases.find(({ outcome }) => outcome === 'failed')?.phase;
  return `${phase === undefined ? '' : ` in the phase ${phase}`}: ${reason?.message ?? ''}`;
}
