/** `trigger`: preflight, then arm. */
import { Option } from 'commander';
import { UpdateError } from '../../update/errors.js';
import type { TriggerOptions } from '../../prepare/trigger.js';
import { actions, type Action, type WayOut } from '../../update/events.js';
import { armingWatch } from '../arming-watch.js';
import { exitCodes } from '../exit-codes.js';
import { onInterrupt } from '../interrupt.js';
import { progressBar } from '../progress-bar.js';
import { rebootNow } from '../reboot-now.js';
import { attendScheduled, isForLater, tellLater, triggerLater, type LaterWords } from '../trigger-later.js';
import type { Verb } from '../verb.js';

interface Options extends LaterWords {
  action?: Action;
  rehearse: boolean;
  force?: boolean;
}

export const trigger: Verb = (program, invoke) => {
  program
    .command('trigger')
    .summary('install the prepared update in the next boot')
    .description(
      'Checks everything that could stand in the way, installs the prepared update on a throw-away copy of the\n' +
        'running system, and arms it: the next boot installs it and ends as --action says. Until then,\n' +
        'offline-update cancel takes it back.\n\n' +
        'With --at, --when-idle or maintenance windows in the configuration all is checked now, and it is armed only when\n' +
        'its time has come; the machine then reboots by itself, after a warning to everybody who is logged in.',
    )
    .addOption(
      new Option(
        '--action <action>',
        'how the update boot ends (by default as the policy says, which is auto)',
      ).choices(actions),
    )
    .option('--now', 'reboot into the update at once, whatever the maintenance windows')
    .option('--at <time>', 'not before this time, such as 03:00, "tomorrow 03:00" or +30min')
    .option('--when-idle', 'as soon as nobody uses the machine')
    .option('--unattended', 'for a timer: in the next maintenance window, if an update waits for it')
    .addOption(new Option('--scheduled', 'for the unit only').hideHelp())
    .option('--no-rehearse', 'do not install it on a throw-away copy of the system first')
    .option('--force', 'also arm what failed on this machine before')
    .option('--json', 'print JSON')
    .action(
      invoke<Options>({
        failed: 'the update was not armed',
        needsRoot: true,
        isOfRunningSystem: true,
        async run({ typed, options, ports, out, stderr }) {
          const { triggerUpdate } = await import('../../prepare/trigger.js');
          const { armedOutcome } = await import('../../prepare/outcome.js');
          const { startAhead } = await import('../../prepare/ahead.js');
          const { machineOf } = await import('../preflight-machine.js');
          const { awayText } = await import('../pages/away-text.js');
          const { rehearsalLines } = await import('../pages/rehearsal-lines.js');
          const { findingLines } = await import('../pages/finding-lines.js');
          const { action, now = false, rehearse, force = false } = options;
          const bar = progressBar(stderr, () => performance.now());
          const watch = armingWatch(typed);
          const makeWishes = async (): Promise<TriggerOptions> => ({
            machine: await machineOf(ports),
            rehearsal: { machine: await ports.rehearsal(), isWanted: rehearse, on: bar.on },
            force,
            onArming: watch.onArming,
            startAhead: () => startAhead(ports.run),
            ...(action && { action }),
          });
          const watched = <T>(work: () => Promise<T>): Promise<T> => {
            const settle = onInterrupt(() => {
              bar.end();
              out.note(watch.interrupt());
            });
            return work().finally(() => {
              bar.end();
              settle();
            });
          };
          if (options.scheduled === true) return watched(() => attendScheduled(ports, out, makeWishes));
          const wishes = await makeWishes();
          if (isForLater(options, wishes.machine.policy)) {
            const told = await watched(() => triggerLater(ports, options, wishes));
            if (told.rehearsal) for (const line of rehearsalLines(told.rehearsal)) out.line(line);
            for (const line of findingLines(told.findings)) out.note(line);
            return tellLater(out, told, options.whenIdle ?? false);
          }
          const armed = await watched(() => triggerUpdate(ports.online, wishes));
          if (armed.rehearsal) for (const line of rehearsalLines(armed.rehearsal)) out.line(line);
          for (const line of findingLines(armed.findings)) out.note(line);
          out.line(`Update ${armed.id} is armed: the next boot installs it, then ${endText(armed.action)}.`);
          if (armed.because !== null) out.line(`  ${armed.action}: ${armed.because}`);
          if (armed.estimate) out.line(`The machine will be away for about ${awayText(armed.estimate)}.`);
          const asked = now ? await rebootNow(ports, out, armed.wayIn) : null;
          if (asked instanceof UpdateError) {
            out.error('the update is armed, but the machine does not reboot', asked);
            return exitCodes.failed;
          }
          out.line(now ? 'Rebooting now.' : `Next: systemctl ${armed.wayIn}   (or offline-update cancel)`);
          out.json({ ...armedOutcome(armed), rebootAskedBy: asked });
          return exitCodes.done;
        },
      }),
    );
};

function endText(action: WayOut): string {
  switch (action) {
    case 'auto':
    case 'reboot':
      return 'reboots';
    case 'kexec':
      return 'starts the new kernel by kexec';
    case 'soft-reboot':
      return 'soft-reboots';
    case 'poweroff':
      return 'powers off';
  }
}
