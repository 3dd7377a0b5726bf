/** `doctor`: the preflight alone, whatever became of the update that is prepared or armed. */
import type { Finding } from '../update/finding.js';
import type { Online } from './online.js';
import type { PreflightContext, StagedUpdate } from './preflight/context.js';
import { preflight } from './preflight/preflight.js';
import { STAGE_INTACT, stageNotIntact } from './preflight/stage-intact.js';
import { attempted } from './preflight/trigger-left.js';
import { anewAsAsked, requestOf } from './prepare-again.js';
import { stagedUpdate } from './staged-update.js';

export async function checkUp(online: Online, machine: Omit<PreflightContext, 'staged'>): Promise<Finding[]> {
  const update = await online.store.current();
  const state = update?.journal.state;
  const lost: Finding[] = [];
  let staged: StagedUpdate | undefined;
  if (state?.name === 'prepared' || state?.name === 'armed') {
    try {
      staged = await stagedUpdate(online, state.planHash);
    } catch (error) {
      lost.push(stageNotIntact(error));
    }
  }
  const isAttempted = state !== undefined && attempted.has(state.name);
  const findings = [...lost, ...(await preflight({ ...machine, staged, isAttempted }))];
  const request = await requestOf(online, update);
  if (state?.name !== 'armed') return findings.map((each) => anewAsAsked(each, request));
  // As long as it is armed, nothing can be prepared.
  return findings.map((each) =>
    each.check === STAGE_INTACT ? { ...each, remedy: 'offline-update cancel' } : each,
  );
}
