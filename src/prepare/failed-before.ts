/**
 * Has the very same change failed here before? Told from the history alone, which `clean` keeps: the verdict is the
 * record, so no power cut can come between both. A later success of the same change makes up for it.
 *
 * Not held against a plan: `refused` changed nothing, `blocked` was cut short and is unblocked by a person, and what was
 * reverted for a power cut (`INSTALL_INTERRUPTED`) had no fault of its own.
 */
import { isErrno } from '../host/host-error.js';
import type { Reason } from '../update/events.js';
import { firstLine } from '../update/first-line.js';
import { pathsOfUpdate } from '../update/paths.js';
import { contentHash } from '../update/plan-content.js';
import type { Plan } from '../update/plan.js';
import type { UpdateState } from '../update/state.js';
import type { KnownUpdate } from '../update/store.js';
import type { Online } from './online.js';

export interface FailedBefore {
  id: string;
  verdict: 'failed' | 'reverted';
  reason: Reason;
}

type History = Pick<Online, 'fs' | 'paths' | 'store'>;

/** The newest failure of the same change; undefined when there is none, or it succeeded since. */
export async function failedBefore(history: History, plan: Plan): Promise<FailedBefore | undefined> {
  const content = contentHash(plan.payload);
  const isSame = async (update: KnownUpdate): Promise<boolean> =>
    contentHash((await history.store.readPlan(update)).payload) === content;
  const later: string[] = [];
  for (const id of await history.store.ids()) {
    if (id === plan.id) continue;
    const failure = await failureOf(history, id);
    if (!failure || !(await isSame(failure.update).catch(() => false))) {
      later.push(id);
      continue;
    }
    for (const other of later) {
      const update = await history.store.find(other).catch(() => undefined);
      if (update?.journal.state.name === 'confirmed' && (await isSame(update).catch(() => false)))
        return undefined;
    }
    return { id, ...failure.how };
  }
  return undefined;
}

type Failure = Extract<UpdateState, { name: 'failed' | 'reverted' }>;

async function failureOf(
  { fs, paths, store }: History,
  id: string,
): Promise<{ update: KnownUpdate; how: Omit<FailedBefore, 'id'> } | undefined> {
  // Most updates succeed: their journals are not worth proving.
  if (!/"event":"(?:failed|reverted)"/.test(await textOf(fs, pathsOfUpdate(paths, id).journal)))
    return undefined;
  const update = await store.find(id).catch(() => undefined);
  const state = update?.journal.state;
  if (!update || !state || !isFailure(state) || state.reason.code === 'INSTALL_INTERRUPTED') return undefined;
  return { update, how: { verdict: state.name, reason: state.reason } };
}

function isFailure(state: UpdateState): state is Failure {
  return state.name === 'failed' || state.name === 'reverted';
}

async function textOf(fs: History['fs'], path: string): Promise<string> {
  try {
    return await fs.readFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES')) return '';
    throw error;
  }
}

/** One sentence, without an end. */
export function failedBeforeText({ id, verdict, reason }: FailedBefore): string {
  const ended = verdict === 'failed' ? 'failed' : 'was reverted';
  return `the same changes were made by update ${id}, which ${ended}: ${firstLine(reason.message)}`;
}
