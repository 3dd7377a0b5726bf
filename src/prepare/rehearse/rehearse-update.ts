/**
 * The rehearsal of a prepared update and its record beside the plan. One that has passed is good for the same plan on
 * the same packages and is not repeated; one that failed is, since the reason may be mended meanwhile.
 */
import type { FileSystem } from '../../host/file-system.js';
import { isErrno } from '../../host/host-error.js';
import type { Progress } from '../../payloads/payload.js';
import { UpdateError } from '../../update/errors.js';
import { parseRehearsal, type Rehearsal } from '../../update/rehearsal.js';
import type { KnownUpdate } from '../../update/store.js';
import type { Online } from '../online.js';
import { rehearse, type RehearsalMachine, type SealedPlan } from './rehearse.js';

/** Errors: `REHEARSAL_FAILED` with the reason; `REHEARSAL_UNAVAILABLE`. */
export async function rehearseUpdate(
  online: Online,
  machine: RehearsalMachine,
  update: KnownUpdate,
  sealed: SealedPlan,
  on: Progress,
): Promise<Rehearsal> {
  const known = await readRehearsal(online.fs, update).catch(() => undefined);
  const isGood =
    known?.outcome === 'passed' &&
    known.planHash === sealed.planHash &&
    known.baseFingerprint === sealed.plan.payload.baseFingerprint;
  if (isGood) return known;
  const rehearsal = await rehearse(online, machine, sealed, on);
  await online.files.replace(update.paths.rehearsal, `${JSON.stringify(rehearsal, null, 1)}\n`, 0o644);
  if (rehearsal.reason) {
    throw new UpdateError('REHEARSAL_FAILED', `in the rehearsal ${said(rehearsal)}`, {
      hint: 'put that right, or hold the package back (apt-mark hold), then offline-update prepare',
    });
  }
  return rehearsal;
}

/** Undefined when there was none. Errors: `PLAN_INVALID`, `FORMAT_TOO_NEW`. */
export async function readRehearsal(
  fs: Pick<FileSystem, 'readFile'>,
  update: KnownUpdate,
): Promise<Rehearsal | undefined> {
  try {
    return parseRehearsal(await fs.readFile(update.paths.rehearsal));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function said({ reason, phases }: Rehearsal): string {
  const phase = phases.find(({ outcome }) => outcome === 'failed')?.phase;
  return `${phase === undefined ? '' : `the phase ${phase} failed: `}${reason?.message ?? ''}`;
}
