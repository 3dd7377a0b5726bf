/** `doctor`: the preflight alone. */
import { exitCodes } from '../exit-codes.js';
import type { Verb } from '../verb.js';

export const doctor: Verb = (program, invoke) => {
  program
    .command('doctor')
    .summary('check what could stand in the way of an update')
    .description(
      'Runs the checks of trigger and arms nothing. Without a prepared update only the machine is checked.',
    )
    .option('--json', 'print JSON')
    .action(
      invoke({
        failed: 'the machine could not be checked',
        needsRoot: true,
        async run({ ports, out }) {
          const { preflight, blocks } = await import('../../prepare/preflight/preflight.js');
          const { stagedUpdate } = await import('../../prepare/staged-update.js');
          const { machineOf } = await import('../preflight-machine.js');
          const { findingLines } = await import('../pages/finding-lines.js');
          const state = (await ports.online.store.current())?.journal.state;
          const staged =
            state?.name === 'prepared' || state?.name === 'armed'
              ? await stagedUpdate(ports.online, state.planHash)
              : undefined;
          const findings = await preflight({ ...(await machineOf(ports)), staged });
          const blocking = blocks(findings).length;
          for (const line of findingLines(findings)) out.line(line);
          if (findings.length === 0) out.line('Nothing stands in the way.');
          out.json({ blocked: blocking > 0, findings });
          return blocking > 0 ? exitCodes.blocked : exitCodes.done;
        },
      }),
    );
};
