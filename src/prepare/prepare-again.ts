/** The command that plans the same anew: without its words all of the system would be upgraded. */
import type { Plan } from '../update/plan.js';

/** `request` of the plan; a plugin hands its own list over itself. */
export function prepareAgain(request?: Plan['request']): string {
  const words: Partial<Record<Plan['request']['mode'], readonly string[]>> = {
    'full-upgrade': ['--full'],
    packages: request?.packages ?? [],
  };
  return ['offline-update prepare', ...((request && words[request.mode]) ?? [])].join(' ');
}
