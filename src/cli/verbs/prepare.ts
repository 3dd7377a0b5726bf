/** `prepare`: plan, download, seal. */
import type { Progress } from '../../payloads/payload.js';
import { planSource } from '../../prepare/plan-source.js';
import { errorTypedAgain } from '../../prepare/prepare-again.js';
import type { PlanSource } from '../../prepare/prepare-update.js';
import { UpdateError } from '../../update/errors.js';
import type { Rehearsal } from '../../update/rehearsal.js';
import type { Policy } from '../../update/policy.js';
import { exitCodes } from '../exit-codes.js';
import { onInterrupt } from '../interrupt.js';
import type { Output, Stream } from '../output.js';
import type { CliPayload, CliPorts } from '../ports.js';
import { progressBar } from '../progress-bar.js';
import type { Verb } from '../verb.js';

interface Options {
  full?: boolean;
  refresh?: boolean;
  from?: string;
  rehearse?: boolean;
  unattended?: boolean;
}

export const prepare: Verb = (program, invoke) => {
  program
    .command('prepare')
    .summary('plan, download and seal an update')
    .description(
      'Plans an update, downloads it and seals it. Nothing is installed and nothing is armed. Without PACKAGE everything\n' +
        'is upgraded and nothing removed; with it only these packages, and what they need, are installed or upgraded.\n' +
        'A plan that was prepared before is replaced at the very end; an armed one must be cancelled first.\n' +
        'When it is interrupted, run it again: the download goes on where it was.',
    )
    .argument('[package...]', 'only these packages, NAME or NAME=VERSION')
    .option('--full', 'also remove packages where the upgrade needs it')
    .option('--refresh', 'fetch the package lists first (this is the default)')
    .option('--no-refresh', 'use the package lists as they are')
    .option('--from <file>', 'take the plan of a package manager plugin, as JSON; - is the standard input')
    .option('--rehearse', 'then install it on a throw-away copy of the running system')
    .option(
      '--unattended',
      'for a timer: leave alone what is armed or has a time, and spare a metered network',
    )
    .option('--json', 'print JSON')
    .action(
      invoke<Options>({
        failed: 'nothing was prepared',
        needsRoot: true,
        isOfRunningSystem: true,
        async run({ words, typed, options, ports, out, stderr }) {
          const { prepareUpdate } = await import('../../prepare/prepare-update.js');
          const { planPage } = await import('../pages/plan-page.js');
          const { preparedOutcome } = await import('../../prepare/outcome.js');
          const { prepareUnattended } = await import('../../prepare/prepare-unattended.js');
          const policy = await ports.policy();
          const payload = await ports.payload();
          const source = sourceOf(words, options, payload, policy);
          const { liveProgress } = await import('../../prepare/live-progress.js');
          const bar = progressBar(stderr, () => performance.now());
          const live = liveProgress(ports.online);
          const on: Progress = (event) => {
            bar.on(event);
            live.on(event);
          };
          const settle = onInterrupt(() => {
            bar.end();
            out.note(`interrupted: nothing was installed or armed, the download is kept\n  next: ${typed}`);
          });
          try {
            const wish = { source, payload, policy, facts: ports.facts, on };
            const prepared =
              options.unattended === true
                ? await prepareUnattended(ports.online, ports.facts, wish)
                : await prepareUpdate(ports.online, wish);
            bar.end();
            const { id, plan, failedBefore } = prepared;
            for (const line of planPage(plan, failedBefore)) out.line(line);
            const rehearsal = options.rehearse === true ? await rehearsed(ports, id, out, stderr) : undefined;
            if (rehearsal instanceof UpdateError) {
              out.error(`update ${id} is prepared, but would fail`, rehearsal);
              return exitCodes.blocked;
            }
            out.line();
            out.line(
              failedBefore
                ? `Next: offline-update report ${failedBefore.id}; when its cause is mended: offline-update trigger --force`
                : 'Next: offline-update trigger',
            );
            out.json(preparedOutcome(prepared, rehearsal));
            return exitCodes.done;
          } catch (error) {
            throw errorTypedAgain(error, typed);
          } finally {
            bar.end();
            await live.end();
            settle();
          }
        },
      }),
    );
};

/** The rehearsal after the seal: the plan stays prepared, however it ends. */
async function rehearsed(
  ports: CliPorts,
  id: string,
  out: Output,
  stderr: Stream,
): Promise<Rehearsal | UpdateError> {
  const { rehearsePrepared } = await import('../../prepare/rehearse/rehearse-prepared.js');
  const { rehearsalLines } = await import('../pages/rehearsal-lines.js');
  const bar = progressBar(stderr, () => performance.now());
  try {
    const rehearsal = await rehearsePrepared(ports.online, await ports.rehearsal(), id, bar.on);
    bar.end();
    out.line();
    for (const line of rehearsalLines(rehearsal)) out.line(line);
    return rehearsal;
  } catch (error) {
    if (error instanceof UpdateError) return error;
    throw error;
  } finally {
    bar.end();
  }
}

function sourceOf(packages: string[], options: Options, payload: CliPayload, policy: Policy): PlanSource {
  const { from, full = false, refresh = true } = options;
  if (from === undefined) return planSource({ packages, full, refresh }, payload, policy);
  if (full || packages.length > 0) {
    throw new UpdateError('USAGE', '--from brings its own packages: no --full and no names beside it', {
      hint: 'offline-update prepare --help',
    });
  }
  return {
    request: { mode: 'plugin', packages: [] },
    plan: (stage) => payload.planFromPlugin(from, stage, policy),
  };
}
