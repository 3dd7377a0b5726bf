/** The command that plans the same anew: without its words all of the system would be upgraded. */
import type { Plan } from '../update/plan.js';

/** `request` of the plan; a plugin hands its own list over itself. */
export function prepareAgain(request?: Plan['request']): string {
  const command = 'offline-update prepare';
  switch (request?.mode) {
    case 'full-upgrade':
      return `${command} --full`;
    case 'packages':
      return [command, ...request.packages].join(' ');
    default:
      return command;
  }
}
