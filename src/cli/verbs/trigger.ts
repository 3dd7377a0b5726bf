/** `trigger`: preflight, then arm. */
import { Option } from 'commander';
import { UpdateError } from '../../update/errors.js';
import type { Action } from '../../update/events.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import type { CliPorts } from '../ports.js';
import type { Verb } from '../verb.js';

interface Options {
  action?: Action;
  now?: boolean;
}

const actions: readonly Action[] = ['auto', 'reboot', 'soft-reboot', 'poweroff'];

export const trigger: Verb = (program, invoke) => {
  program
    .command('trigger')
    .summary('install the prepared update in the next boot')
    .description(
      'Checks everything that could stand in the way, then arms the prepared update: the next boot installs it\n' +
        'and ends as --action says. Until then, offline-update cancel takes it back.',
    )
    .addOption(new Option('--action <action>', 'how the update boot ends').choices(actions))
    .option('--now', 'reboot into the update at once')
    .option('--json', 'print JSON')
    .action(
      invoke<Options>({
        failed: 'the update was not armed',
        needsRoot: true,
        async run({ options, ports, out }) {
          const { triggerUpdate } = await import('../../prepare/trigger.js');
          const { machineOf } = await import('../preflight-machine.js');
          const { findingLines } = await import('../pages/finding-lines.js');
          const machine = await machineOf(ports);
          const { action, now = false } = options;
          const armed = await triggerUpdate(ports.online, { machine, ...(action && { action }) });
          for (const line of findingLines(armed.findings)) out.note(line);
          out.line(`Update ${armed.id} is armed: the next boot installs it, then ${endText(armed.action)}.`);
          const asked = now ? await rebootQuietly(ports, out) : null;
          if (asked instanceof UpdateError) {
            out.error('the update is armed, but the machine does not reboot', asked);
            return exitCodes.failed;
          }
          out.line(now ? 'Rebooting now.' : 'Next: systemctl reboot   (or offline-update cancel)');
          out.json({ state: 'armed', ...armed, rebootAskedBy: asked });
          return exitCodes.done;
        },
      }),
    );
};

/** A bus that is stopped by the very reboot it was asked for is no news; only when nobody reboots is each rung told. */
async function rebootQuietly(ports: CliPorts, out: Output): Promise<string | UpdateError> {
  const rungs: string[] = [];
  try {
    return await ports.reboot((line) => rungs.push(line));
  } catch (error) {
    for (const line of rungs) out.note(line);
    const message = error instanceof Error ? error.message : String(error);
    return new UpdateError('INTERNAL', message, {
      cause: error,
      hint: 'systemctl reboot --ignore-inhibitors',
    });
  }
}

function endText(action: Action): string {
  switch (action) {
    case 'auto':
    case 'reboot':
      return 'reboots';
    case 'soft-reboot':
      return 'soft-reboots';
    case 'poweroff':
      return 'powers off';
  }
}
