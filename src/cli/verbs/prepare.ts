/** `prepare`: plan, download, seal. */
import type { PlanSource } from '../../prepare/prepare-update.js';
import { UpdateError } from '../../update/errors.js';
import type { Policy } from '../../update/policy.js';
import { exitCodes } from '../exit-codes.js';
import { onInterrupt } from '../interrupt.js';
import type { CliPayload } from '../ports.js';
import { progressBar } from '../progress-bar.js';
import type { Verb } from '../verb.js';

interface Options {
  full?: boolean;
  refresh?: boolean;
  from?: string;
}

export const prepare: Verb = (program, invoke) => {
  program
    .command('prepare')
    .summary('plan, download and seal an update')
    .description(
      'Plans an update, downloads it and seals it. Nothing is installed and nothing is armed.\n' +
        'A plan that was prepared before is replaced at the very end; an armed one must be cancelled first.\n' +
        'When it is interrupted, run it again: the download goes on where it was.',
    )
    .argument('[package...]', 'only these packages, NAME or NAME=VERSION')
    .option('--full', 'also remove packages where the upgrade needs it')
    .option('--refresh', 'fetch the package lists first (this is the default)')
    .option('--no-refresh', 'use the package lists as they are')
    .option('--from <file>', 'take the plan of a package manager plugin, as JSON; - is the standard input')
    .option('--json', 'print JSON')
    .action(
      invoke<Options>({
        failed: 'nothing was prepared',
        needsRoot: true,
        async run({ words, options, ports, out, stderr }) {
          const { prepareUpdate } = await import('../../prepare/prepare-update.js');
          const { planPage, planSummary } = await import('../pages/plan-page.js');
          const policy = await ports.policy();
          const payload = await ports.payload();
          const source = planSource(words, options, payload, policy);
          const bar = progressBar(stderr, () => performance.now());
          const settle = onInterrupt(() => {
            bar.end();
            out.note(
              'interrupted: nothing was installed or armed, the download is kept\n  next: offline-update prepare',
            );
          });
          try {
            const { id, plan } = await prepareUpdate(ports.online, { source, payload, policy, on: bar.on });
            bar.end();
            for (const line of planPage(plan)) out.line(line);
            out.json({ id, state: 'prepared', plan: planSummary(plan), next: 'offline-update trigger' });
            return exitCodes.done;
          } finally {
            bar.end();
            settle();
          }
        },
      }),
    );
};

function planSource(packages: string[], options: Options, payload: CliPayload, policy: Policy): PlanSource {
  const { from, full = false, refresh = true } = options;
  if (from !== undefined) {
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
  if (full && packages.length > 0) {
    throw new UpdateError('USAGE', '--full is for the whole system: no names beside it', {
      hint: 'offline-update prepare --help',
    });
  }
  const mode = packages.length > 0 ? 'packages' : full ? 'full-upgrade' : 'upgrade';
  return {
    request: { mode, packages },
    plan: () => payload.plan({ mode, packages, refresh, policy }),
  };
}
