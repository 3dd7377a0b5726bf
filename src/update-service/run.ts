/**
 * The update boot, from the claim to the way out. Whatever happens, it ends with a durable record and a request to
 * leave; only if even that fails does it reject, and the rescue unit takes over.
 */
import { openPlymouth } from '../host/plymouth.js';
import { asUpdateError } from '../update/errors.js';
import type { Reason, WayOut } from '../update/events.js';
import { writeLiveStatus } from '../update/live-status.js';
import { packagesAreWhole } from '../update/finding.js';
import type { Plan } from '../update/plan.js';
import { attemptsIn } from '../update/report.js';
import { isVerdict, type StateName, type UpdateState } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import type { Attempt } from './attempt.js';
import { closeLeftOpen, closeUpdate, saveReport } from './close.js';
import { revert } from './fallback.js';
import { leave } from './leave.js';
import { lookAtPackages } from './look-at-packages.js';
import { freshAttempt, resumedAttempt, strayedAttempt, type Phase } from './phases.js';
import type { Ports } from './ports.js';
import { progressReporter } from './progress.js';
import { watchWayOut, type Leaving } from './way-out.js';

export async function runUpdateBoot(ports: Ports): Promise<void> {
  const update = await ports.store.current();
  const state = update?.journal.state;
  const action: WayOut = state && 'action' in state ? state.action : 'reboot';
  let plan: Plan | undefined;
  let wayOut: (outcome: StateName) => Promise<Leaving> = () =>
    Promise.resolve({ way: action === 'kexec' ? 'reboot' : action });
  if (!update || !state || !isOpen(state)) {
    ports.log.write('notice', 'claimed, but no update is armed: leaving the update boot');
    // The power went before the link was taken away, and the claim has counted once more.
    if (update) await closeLeftOpen(ports, update);
  } else {
    wayOut = await watchWayOut(ports, update, state);
    if (state.name !== 'installed') plan = await attemptIt(ports, update, state);
  }
  // `installed` found here: a power cut between the record and the reboot. Only the reboot is missing.
  await leave(ports, update, await wayOut(update?.journal.state.name ?? 'none'), plan);
}

type OpenState = Extract<UpdateState, { name: 'armed' | 'claimed' | 'installing' | 'installed' }>;

function isOpen(state: UpdateState): state is OpenState {
  return !isVerdict(state.name) && 'action' in state;
}

/** The plan, for the report. */
async function attemptIt(ports: Ports, update: KnownUpdate, state: OpenState): Promise<Plan> {
  const { journal } = update;
  const plan = await ports.store.readPlan(update);
  const number = attemptsIn(journal.rows) + 1;
  const resumes = state.name === 'installing';
  const plymouth = openPlymouth(ports.run);
  plymouth.mode('updates');
  const progress = progressReporter(
    update.id,
    {
      plymouth,
      line: (text) => {
        ports.log.write('info', text);
      },
      status: (status) => {
        ports.announce.progress(status);
        return writeLiveStatus(ports.fs, ports.paths, status);
      },
    },
    ports.moment.now,
  );
  const attempt: Attempt = {
    ports,
    update,
    plan,
    expectedPlanHash: state.planHash,
    number,
    fallback: (state.name === 'installing' && state.fallback) || undefined,
    progress,
  };

  // A cut between the claim and its row costs no attempt; between the row and the first change it does.
  await journal.append(
    resumes ? { event: 'resumed', attempt: number } : { event: 'claimed', attempt: number },
  );
  // With a fallback nothing is tried again: however many attempts there were, the machine goes back.
  if (number > plan.policy.attempts && !attempt.fallback) {
    const message = `given up after ${plan.policy.attempts} attempts that were cut short`;
    await journal.append({ event: 'blocked', reason: { code: 'ATTEMPTS_USED_UP', message } });
  } else {
    const interrupted = attempt.fallback ? strayedAttempt : resumedAttempt;
    try {
      await runPhases(attempt, resumes ? interrupted : freshAttempt);
    } finally {
      // Also when not even the record can be written.
      await attempt.arming?.abandon();
    }
  }
  const text = verdictText(journal.state);
  // Of an update that is installed `leave` writes the report, with how the machine was left.
  if (isVerdict(journal.state.name)) {
    await saveReport(ports, update, plan);
    await closeUpdate(ports);
  }
  if (journal.state.name === 'reverted') await revert(attempt);
  await progress.finish(journal.state.name, text);
  return plan;
}

async function runPhases(attempt: Attempt, phases: readonly Phase[]): Promise<void> {
  const { journal } = attempt.update;
  /** The row of the last phase: nothing is decided by it, so the next phase does not wait for the disk. */
  let noted: Promise<void> = Promise.resolve();
  for (const { phase, run, undo } of phases) {
    attempt.progress.phase(journal.state.name, phase);
    const began = process.hrtime.bigint();
    const done = async (outcome: 'done' | 'failed'): Promise<void> => {
      const seconds = Number(process.hrtime.bigint() - began) / 1e9;
      await noted;
      noted = journal.append({ note: 'phase', phase, outcome, seconds });
      noted.catch(() => undefined); // told before the next one is written
    };
    try {
      await run(attempt).catch((error: unknown) => {
        if (!undo) throw error;
        return undo(attempt, error);
      });
    } catch (error) {
      await done('failed');
      await noted;
      await fail(attempt, error);
      return;
    }
    await done('done');
  }
  await noted;
}

/** The verdict of an attempt that ended in an error. */
async function fail(attempt: Attempt, thrown: unknown): Promise<void> {
  const { update, ports, plan, fallback } = attempt;
  const { code, message } = asUpdateError(thrown);
  const reason: Reason = { code, message };
  ports.log.write('error', `${code}: ${message}`);
  // The verdict says that nothing was changed.
  await attempt.arming?.abandon();
  if (fallback) {
    await update.journal.append({ event: 'reverted', reason });
  } else if (update.journal.state.name !== 'installing') {
    await update.journal.append({ event: 'refused', reason });
  } else {
    const findings = await lookAtPackages(ports, update, 'update', plan);
    await update.journal.append({ event: 'failed', reason, healed: packagesAreWhole(findings) });
  }
}

function verdictText(state: UpdateState): string {
  switch (state.name) {
    case 'installed':
      return 'All updates are installed';
    case 'refused':
      return `Nothing was changed: ${state.reason.message}`;
    case 'reverted':
      return `The update failed, the machine goes back to the state before: ${state.reason.message}`;
    case 'failed':
      return `The update failed${state.healed ? ', the packages are whole' : ''}: ${state.reason.message}`;
    case 'blocked':
      return `The update is blocked: ${state.reason.message}`;
    default:
      return `The update is ${state.name}`;
  }
}
