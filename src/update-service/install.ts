/** The change itself, and what makes up for its failure where there is no way back. */
import { asUpdateError } from '../update/errors.js';
import { giveUp } from './fallback.js';
import type { Syncs } from '../update/events.js';
import { firstLine } from '../update/first-line.js';
import type { InstallOptions, Progress, ProgressEvent } from '../payloads/payload.js';
import type { Attempt } from './attempt.js';
import { chooseSyncs } from './syncs.js';

const nearlyDonePercent = 90;
/** Installed in less time than logind takes to start; units/begin knows the same number. */
export const nearlyDonePackages = 8;

/** Write-ahead: the row `installing` is durable before the first package is touched. */
export async function install(attempt: Attempt): Promise<void> {
  const { ports, update, plan, number, fallback, progress } = attempt;
  const syncs = (attempt.syncs = await chooseSyncs(attempt));
  await update.journal.append({ event: 'installing', attempt: number, fallback: fallback ?? null, syncs });
  const revertible = fallback !== undefined && fallback.inPlace === undefined;
  let isNodeSeen = false;
  const on: Progress = (event) => {
    progress.on(event);
    // Nearly done: logind starts beside the rest, and `leave` need not wait for it.
    if (isNearlyDone(event)) void ports.wakeLogin();
    // Nor `verify` for Node.js, which has been replaced by then; it looks again whether anything has touched it since.
    if (event.percent < nearlyDonePercent || isNodeSeen) return;
    isNodeSeen = true;
    ports.whyNodeFails().catch(() => undefined);
  };
  await ports.payload.install(plan.payload, stage(attempt), on, options(attempt, syncs, revertible));
}

function isNearlyDone({ percent, itemsDone = 0, itemsTotal = Infinity }: ProgressEvent): boolean {
  return percent >= nearlyDonePercent || itemsTotal - itemsDone <= nearlyDonePackages;
}

export async function rollForward(attempt: Attempt): Promise<void> {
  const { ports, plan, progress } = attempt;
  await ports.payload.heal(plan.payload, stage(attempt), progress.on, options(attempt, 'kept', false));
}

/**
 * A failed install: back to the fallback, or forward as far as the packages let us. When healing really made all of
 * the plan true, the attempt goes on; otherwise it has failed for its first reason.
 */
export async function heal(attempt: Attempt, error: unknown): Promise<void> {
  if (attempt.fallback) return giveUp(attempt, error);
  const { update, progress } = attempt;
  const reason = asUpdateError(error);
  progress.say(`${firstLine(reason.message)}; making the packages whole`);
  await update.journal.append({ note: 'finding', check: 'install', message: reason.message });
  try {
    await rollForward(attempt);
  } catch (healing) {
    const { message } = asUpdateError(healing);
    await update.journal.append({ note: 'finding', check: 'heal', message });
    throw reason;
  }
}

function stage({ ports }: Attempt): { path: string } {
  return { path: ports.paths.stage };
}

function options({ plan, update }: Attempt, syncs: Syncs, revertible: boolean): InstallOptions {
  return { policy: plan.policy, terminalLog: update.paths.terminalLog, syncs, revertible };
}
