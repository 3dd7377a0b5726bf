/** `status`: every truth at once. */
import type { Support, WithoutSnapshots } from '../../snapshots/snapshot-provider.js';
import type { LiveStatus } from '../../update/live-status.js';
import { exitCodes } from '../exit-codes.js';
import type { FallbackTruth } from '../../prepare/fallbacks.js';
import type { TellingPorts } from '../telling-ports.js';
import type { TellingVerb } from '../verb.js';
import { version } from '../version.js';

interface Options {
  verify?: boolean;
  follow?: boolean;
}

export const status: TellingVerb = (program, invoke) => {
  program
    .command('status')
    .summary('what is prepared, armed or running')
    .description(
      'Tells what is prepared or armed, what the trigger links say (also those of other tools), whether the system\n' +
        'changed since, how the last update ended, and what to type next. Changes nothing. With --json and --follow each\n' +
        'document is on a line of its own.',
    )
    .option('--json', 'print JSON')
    .option('--follow', 'tell what goes on while it goes on, then the status')
    .option('--verify', 'check the hash of every prepared file (root only)')
    .action(
      invoke<Options>({
        failed: 'the state cannot be told',
        // Others may not read these files, and what they cannot see must not look as if it were broken.
        needsRoot: ({ verify = false }) => verify,
        async run({ step, options, ports, out }) {
          if (options.follow) {
            const { followLive } = await import('../../prepare/follow.js');
            await followLive(ports.online.fs, ports.online.paths, (live) => {
              out.line(liveText(live));
              out.jsonLine(live);
            });
          }
          const { readStatus } = await import('../../prepare/status.js');
          const told = await readStatus(ports.online, {
            version,
            verify: options.verify ?? false,
            hasDrifted: (plan) => ports.hasDrifted(plan),
            fallbacks: () => fallbacksOf(ports),
            support: (otherwise) => supportOf(ports, otherwise),
            shutdown: () => ports.shutdown(),
          });
          if (told.next !== null) told.next = step(told.next);
          if (!out.isJson) out.fields((await import('../pages/status-page.js')).statusRows(told));
          if (options.follow) out.jsonLine(told);
          else out.json(told);
          return exitCodes.done;
        },
      }),
    );
};

function liveText({ percent, text, stalled, package: name }: LiveStatus): string {
  const what = name === null || text.includes(name) ? text : `${name}: ${text}`;
  return `${String(percent).padStart(3)} %  ${what}${stalled ? '  STALLED' : ''}`;
}

/** For root alone, and no reason not to tell the rest when it fails. */
async function fallbacksOf(ports: TellingPorts): Promise<FallbackTruth[] | null> {
  if (!ports.isRoot) return null;
  const { keptFallbacks } = await import('../../prepare/fallbacks.js');
  try {
    const { store } = ports.online;
    const all = await keptFallbacks({ store, snapshots: await ports.snapshots() });
    return all.map(({ truth }) => truth);
  } catch {
    return null;
  }
}

/** As `fallbacksOf`; what keeps it from being looked at is told in its place. */
async function supportOf(ports: TellingPorts, otherwise: WithoutSnapshots): Promise<Support | undefined> {
  if (!ports.isRoot) return undefined;
  try {
    return await (await ports.snapshots()).probe(otherwise);
  } catch (error) {
    return {
      usable: false,
      reason: `it cannot be looked at: ${error instanceof Error ? error.message : ''}`,
    };
  }
}
