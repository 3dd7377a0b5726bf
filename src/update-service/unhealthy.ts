/**
 * The machine is not well with the update: back to the fallback and a reboot, at most once for an update; without a way
 * back it stays up, with the verdict `failed`.
 *
 * Each step is told before it takes effect. A cut between the decision and the switch boots the updated root, which is
 * judged anew; one that boots although the fallback was to boot is proof that the way back leads nowhere.
 */
import { asUpdateError, UpdateError } from '../update/errors.js';
import type { Reason } from '../update/events.js';
import { packagesAreWhole } from '../update/finding.js';
import type { JournalRow } from '../update/journal.js';
import { noteRows } from '../update/journal-rows.js';
import type { Plan } from '../update/plan.js';
import type { Fallback } from '../snapshots/snapshot-provider.js';
import type { KnownUpdate } from '../update/store.js';
import { closeUpdate, saveReport } from './close.js';
import type { CheckResult } from './health/check-result.js';
import type { Judgement } from './health/judge.js';
import { lookAtPackages } from './look-at-packages.js';
import type { Ports } from './ports.js';

/** The second is for a decision that a power cut kept from being carried out. */
const MOST_DECISIONS = 2;

/** Errors: always `HEALTH_FAILED`. */
export async function giveBack(
  ports: Ports,
  update: KnownUpdate,
  plan: Plan,
  { failures, packagesAreWhole: isWhole }: Judgement,
): Promise<never> {
  const reason: Reason = { code: 'HEALTH_FAILED', message: `unhealthy after the update: ${told(failures)}` };
  ports.log.write('error', reason.message);
  const { state } = update.journal;
  const fallback = state.name === 'installed' ? state.fallback : null;
  if (!fallback) return stay(ports, update, plan, reason, isWhole);
  if (decisionsIn(update.journal.rows) >= MOST_DECISIONS) {
    return stay(ports, update, plan, withMore(reason, 'the way back was cut short twice'), isWhole);
  }
  try {
    await switchTo(ports, update, fallback, reason);
  } catch (error) {
    const why = `the way back cannot be taken: ${asUpdateError(error).message}`;
    return stay(ports, update, plan, withMore(reason, why), isWhole);
  }
  // Always a full reboot: a soft one would stay in the root that is given up.
  await ports.askToLeave('reboot');
  throw goesBack(reason);
}

function goesBack({ message }: Reason): UpdateError {
  return new UpdateError('HEALTH_FAILED', `${message}; the machine goes back to the state before`, {
    hint: 'systemctl reboot',
  });
}

/**
 * `copyIsAhead`: the boot that puts a copy back is still to come. Errors: `HEALTH_FAILED` when the fallback was to boot, and
 * this root booted all the same, or was led past that boot.
 */
export async function refuseSecondReturn(
  ports: Ports,
  update: KnownUpdate,
  plan: Plan,
  copyIsAhead: boolean,
): Promise<void> {
  const { rows } = update.journal;
  const notes = noteRows(rows, 'reverting');
  const before = notes.find(({ entry }) => entry.step === 'switched' || copyIsAhead);
  if (!before) return;
  const { reason: first } = before.entry;
  if (notes.at(-1)?.bootId === ports.moment.bootId) {
    // This unit was started once more, before the reboot that it had asked for: that one is still to come.
    await ports.askToLeave('reboot');
    throw goesBack(first);
  }
  // Who led this boot past it by hand reboots by hand.
  if (copyIsAhead) throw goesBack(first);
  const reason = withMore(first, 'the fallback was to boot, and the updated root booted again');
  const findings = await lookAtPackages(ports, update, 'ordinary', plan);
  await stay(ports, update, plan, reason, packagesAreWhole(findings));
}

async function switchTo(
  { snapshots, log }: Ports,
  { id, journal }: KnownUpdate,
  fallback: Fallback,
  reason: Reason,
): Promise<void> {
  await journal.append({ note: 'reverting', step: 'decided', reason });
  try {
    await snapshots.revert(fallback, id);
  } catch (error) {
    // It may have got half-way: the root that stays up is the one that boots next.
    await snapshots.commit(fallback).catch((further: unknown) => {
      log.write('error', `which root boots next is not certain: ${String(further)}`);
    });
    throw error;
  }
  await journal.append({ note: 'reverting', step: 'switched', reason });
}

/** No way back: told clearly, and the machine stays up for a person to mend. */
async function stay(
  ports: Ports,
  update: KnownUpdate,
  plan: Plan,
  reason: Reason,
  healed: boolean,
): Promise<never> {
  await update.journal.append({ event: 'failed', reason, healed });
  await saveReport(ports, update, plan);
  await closeUpdate(ports);
  throw new UpdateError('HEALTH_FAILED', reason.message, { hint: `offline-update report ${update.id}` });
}

function decisionsIn(rows: readonly JournalRow[]): number {
  return noteRows(rows, 'reverting').filter(({ entry }) => entry.step === 'decided').length;
}

function withMore({ code, message }: Reason, more: string): Reason {
  return { code, message: `${message}; ${more}` };
}

function told(failures: readonly CheckResult[]): string {
  return failures.map(({ check, message }) => `${check}: ${message}`).join('; ');
}
