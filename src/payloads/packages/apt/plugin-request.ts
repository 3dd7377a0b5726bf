/**
 * `prepare --from FILE|-`: reads the request of a package manager's plugin, takes its files into the stage and plans
 * exactly what it lists. The payload's `fetch` then finds everything there, and freezes the lists.
 *
 * Errors: `REQUEST_INVALID`, `MANAGER_UNSUPPORTED`, `FORMAT_TOO_NEW`, `HASH_MISMATCH`, `NOTHING_TO_DO`, `BUSY`, `PLAN_FAILED`.
 */
import { dirname, resolve } from 'node:path';
import type { PackagesPlan } from '../../../update/plan.js';
import type { Policy } from '../../../update/policy.js';
import { UpdateError } from '../../../update/errors.js';
import type { Stage } from '../../payload.js';
import { keepContext, planningPorts, type PlanningDependencies } from './planning.js';
import { planPluginRequest } from './plugin-plan.js';
import { parsePluginRequest, type PluginRequest } from './plugin-schema.js';

/** `from`: a file, or `-` for `stdin`. */
export async function planFromPlugin(
  dependencies: PlanningDependencies,
  from: string,
  stage: Stage,
  policy: Policy,
  stdin: AsyncIterable<Uint8Array | string> = process.stdin,
): Promise<PackagesPlan> {
  const request = await readPluginRequest(dependencies, from, stdin);
  const { plan, context } = await planPluginRequest(planningPorts(dependencies), request, stage, policy);
  return keepContext(plan, context);
}

async function readPluginRequest(
  { fs }: PlanningDependencies,
  from: string,
  stdin: AsyncIterable<Uint8Array | string>,
): Promise<PluginRequest> {
  if (from === '-') return parsePluginRequest(await whole(stdin), process.cwd());
  let content: string;
  try {
    content = await fs.readFile(from);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UpdateError('REQUEST_INVALID', `${from} cannot be read: ${why}`, {
      cause: error,
      hint: 'offline-update prepare --from FILE, or - for the standard input',
    });
  }
  return parsePluginRequest(content, dirname(resolve(from)));
}

async function whole(stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stdin) parts.push(Buffer.from(part));
  return Buffer.concat(parts).toString();
}
