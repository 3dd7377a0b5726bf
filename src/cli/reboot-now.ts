/** Asks for the reboot, for `--now`. */
import { UpdateError } from '../update/errors.js';
import type { WayIn } from '../update/events.js';
import type { Output } from './output.js';
import type { CliPorts } from './ports.js';

/**
 * Resolves with who took the request, or with the error to tell. A bus that is stopped by the very reboot it was asked
 * for is no news; only when nobody reboots is each rung told.
 */
export async function rebootNow(
  ports: CliPorts,
  out: Output,
  way: WayIn = 'reboot',
): Promise<string | UpdateError> {
  const rungs: string[] = [];
  try {
    return await ports.leave(way, (line) => rungs.push(line));
  } catch (error) {
    for (const line of rungs) out.note(line);
    const message = error instanceof Error ? error.message : String(error);
    return new UpdateError('INTERNAL', message, {
      cause: error,
      hint: `systemctl ${way} --ignore-inhibitors`,
    });
  }
}
