/** The command that plans the same anew: without its words all of the system would be upgraded. */
import type { Finding } from '../update/finding.js';
import { UpdateError, type UpdateErrorCode } from '../update/errors.js';
import type { Plan } from '../update/plan.js';
import { shellWords } from '../update/shell-words.js';
import type { KnownUpdate } from '../update/store.js';
import type { Online } from './online.js';

const command = 'offline-update prepare';

/** `request` of the plan; undefined where that is not known. */
export function prepareAgain(request?: Plan['request']): string {
  switch (request?.mode) {
    case 'full-upgrade':
      return `${command} --full`;
    case 'packages':
      return `${command} ${shellWords(request.packages)}`;
    case 'plugin':
      return `${command} --from FILE`; // its list may stand in no file: who made it makes it again
    default:
      return command;
  }
}

/** Of the history; undefined where its plan cannot be read. */
export async function requestOf(
  { store }: Pick<Online, 'store'>,
  update: KnownUpdate | undefined,
): Promise<Plan['request'] | undefined> {
  const plan = update && (await store.readPlan(update).catch(() => undefined));
  return plan?.request;
}

/** Who finds that the stage or the system no longer fits the plan does not know what was asked for. */
export function anewAsAsked(finding: Finding, request: Plan['request'] | undefined): Finding {
  return { ...finding, remedy: withWords(finding.remedy, request) };
}

/** The same for what is thrown, and for its findings. */
export function errorAsAsked(error: unknown, request: Plan['request'] | undefined): unknown {
  if (!(error instanceof UpdateError)) return error;
  const { code, message, hint, findings } = error;
  return new UpdateError(code, message, {
    cause: error,
    ...(hint !== undefined && { hint: withWords(hint, request) }),
    findings: findings.map((finding) => anewAsAsked(finding, request)),
  });
}

function withWords(step: string, request: Plan['request'] | undefined): string {
  return step.endsWith(command) ? step.slice(0, -command.length) + prepareAgain(request) : step;
}

const mayEndWellAgain: ReadonlySet<UpdateErrorCode> = new Set([
  'DOWNLOAD_FAILED',
  'HASH_MISMATCH',
  'PLAN_FAILED',
  'CANCELLED',
]);

/**
 * Of a `prepare` itself, which was asked for by `typed`: who says there that it is to be prepared again does not know for
 * which packages.
 */
export function errorTypedAgain(error: unknown, typed: string): unknown {
  if (!(error instanceof UpdateError) || !mayEndWellAgain.has(error.code)) return error;
  const { code, message, hint = '' } = error;
  if (!hint.startsWith(command)) return error;
  return new UpdateError(code, message, { cause: error, hint: typed + hint.slice(command.length) });
}
