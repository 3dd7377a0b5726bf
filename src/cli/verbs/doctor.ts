/** `doctor`: the preflight alone. */
import { exitCodes } from '../exit-codes.js';
import type { DrillStep } from '../../snapshots/snapshot-provider.js';
import type { CliPorts } from '../ports.js';
import type { Verb } from '../verb.js';

interface Options {
  drill?: boolean;
}

export const doctor: Verb = (program, invoke) => {
  program
    .command('doctor')
    .summary('check what could stand in the way of an update')
    .description(
      'Runs the checks of trigger and arms nothing. Without a prepared update only the machine is checked. With --drill\n' +
        'a fallback is armed with no change, what the next boot would start is looked at from the disk, and all is taken\n' +
        'away again; how long each step took is told. A power cut in these seconds boots the snapshot, and the root that\n' +
        'ran is kept for rollback.',
    )
    .option('--drill', 'rehearse the way back: arm a fallback with no change, look at it, take it away')
    .option('--json', 'print JSON')
    .action(
      invoke<Options>({
        failed: 'the machine could not be checked',
        needsRoot: true,
        isOfRunningSystem: true,
        async run({ options, ports, out }) {
          const { blocks } = await import('../../prepare/preflight/preflight.js');
          const { checkUp } = await import('../../prepare/check-up.js');
          const { machineOf } = await import('../preflight-machine.js');
          const { findingLines } = await import('../pages/finding-lines.js');
          const findings = await checkUp(ports.online, await machineOf(ports));
          const steps = options.drill === true ? await rehearse(ports) : null;
          findings.push(...(steps ?? []).flatMap((step) => step.findings));
          const blocking = blocks(findings).length;
          for (const line of findingLines(findings)) out.line(line);
          if (findings.length === 0) out.line('Nothing stands in the way.');
          for (const { step, seconds } of steps ?? [])
            out.line(`Drill: ${step.padEnd(6)}  ${seconds.toFixed(3)} s`);
          out.json({ blocked: blocking > 0, findings, ...(steps && { drill: steps.map(timed) }) });
          return blocking > 0 ? exitCodes.blocked : exitCodes.done;
        },
      }),
    );
};

async function rehearse(ports: CliPorts): Promise<DrillStep[]> {
  const { rehearseReturn } = await import('../../prepare/drill.js');
  return rehearseReturn(ports.online, await ports.snapshots());
}

function timed({ step, seconds }: DrillStep): { step: string; seconds: number } {
  return { step, seconds };
}
