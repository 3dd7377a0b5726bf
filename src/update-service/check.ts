/** The last look before the first change: is the stage as sealed, is the system as planned (invariant 7). */
import { UpdateError, type UpdateErrorCode } from '../update/errors.js';
import { verifyStage } from '../update/stage.js';
import type { Attempt } from './attempt.js';
import { lookAhead } from './look-ahead.js';

/** Errors: `STAGE_*`, `PLAN_*`, `DRIFT`, `DATABASE_DIRTY`, `BUSY`. */
export async function check(attempt: Attempt): Promise<void> {
  const { ports, update } = attempt;
  const stage = { path: ports.paths.stage };
  // What takes longest comes first.
  const ahead = lookAhead(attempt);
  const proven = verifyStage(ports.fs, stage.path, attempt.expectedPlanHash);
  // Its simulation comes after the proof: it lets apt read a file of the stage, which can name programs to run.
  const looking = ports.payload.preflight(
    proven.then((plan) => plan.payload),
    stage,
  );
  looking.catch(() => undefined); // told below
  // Before a refusal: what is begun ahead has to be known by who abandons it.
  await ahead;
  const findings = await looking;
  attempt.plan = await proven;
  for (const { check, severity, evidence, remedy } of findings) {
    if (severity === 'block') throw new UpdateError(codes[check] ?? 'DRIFT', evidence, { hint: remedy });
    await update.journal.append({ note: 'finding', check, message: evidence });
  }
}

/** Of a resumed attempt: the system is in between, only the files have to be right. */
export async function checkAgain(attempt: Attempt): Promise<void> {
  const { fs, paths } = attempt.ports;
  attempt.plan = await verifyStage(fs, paths.stage, attempt.expectedPlanHash);
}

const codes: Record<string, UpdateErrorCode> = {
  'dpkg-dirty': 'DATABASE_DIRTY',
  'lock-held': 'BUSY',
  drift: 'DRIFT',
};
