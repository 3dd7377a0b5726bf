/**
 * `offline-update trigger`: preflight, rehearsal, then the trigger (offline-updates(7), step 2).
 *
 * The order is write-ahead: whatever the update boot reads is durable before the link that leads into it, and the link
 * is the last of it, one exclusive symlink(2). A power cut before it leaves an update that may be armed by its journal and
 * has no link: the next boot is an ordinary one, which records that the update never ran.
 *
 * Errors: those of examine.ts.
 */
import { isErrno } from '../host/host-error.js';
import { UpdateError } from '../update/errors.js';
import { TRIGGER_TARGET } from '../update/paths.js';
import { readLinkTruth } from '../update/trigger-link.js';
import { examine, type Examined, type PreparedUpdate, type TriggerOptions } from './examine.js';
import { armedEvent, type BothWays } from './end-of.js';
import { exclusively } from './exclusive.js';
import type { Online } from './online.js';
import { describeForeign } from './preflight/trigger-foreign.js';
import { takeBaseline } from './take-baseline.js';
import { chooseTriggerPath } from './trigger-path.js';

export interface Triggered extends BothWays, Pick<Examined, 'findings' | 'rehearsal' | 'estimate'> {
  id: string;
  trigger: string;
}

export type { TriggerOptions } from './examine.js';

export function triggerUpdate(online: Online, options: TriggerOptions): Promise<Triggered> {
  return exclusively(online, () => armUpdate(online, options));
}

/** The same, for who has the lock already. */
export async function armUpdate(online: Online, options: TriggerOptions): Promise<Triggered> {
  const { facts } = options.machine;
  const { update, findings, rehearsal, end, estimate } = await examine(online, options);
  if (estimate) await update.journal.append({ note: 'estimate', ...estimate });
  const trigger = await chooseTriggerPath(online.paths, facts);
  if (trigger === undefined) throw new UpdateError('INTERNAL', 'the preflight let an unwritable root pass');
  findings.push(...(await takeBaseline(online, update, facts)));
  const armed = { ...end, trigger };
  await options.onArming?.();
  await carryOut(armingSteps(online, update, armed));
  // It is armed, so a time at which it would be has no meaning any more.
  await online.files.remove(online.paths.scheduled);
  if (end.wayIn === 'soft-reboot') await options.startAhead?.();
  return { id: update.id, ...armed, findings, rehearsal, estimate };
}

interface Step {
  step: string;
  run(): Promise<unknown>;
  undo(): Promise<unknown>;
}

/**
 * Read top to bottom; when a row fails, it and the rows above it are undone, the last one first: it may fail after it took
 * effect, as where a sync fails. So each undo holds before its row as well.
 */
function armingSteps(
  { paths, files, fs, store }: Online,
  { id, journal, planHash }: PreparedUpdate,
  { trigger, ...ways }: BothWays & Pick<Triggered, 'trigger'>,
): readonly Step[] {
  return [
    {
      step: 'forget the claims and the rescue of an earlier update',
      run: async () => {
        await files.remove(paths.claims);
        await files.remove(paths.rescued);
      },
      undo: () => Promise.resolve(),
    },
    {
      step: 'write down the wished end for the shell',
      run: () => files.replace(paths.action, `${ways.action}\n`, 0o644),
      undo: () => files.remove(paths.action),
    },
    // Before the row: cut in between, the next boot closes what was never armed. The other way round it would stay armed
    // by its record, without a link, and no unit would look.
    { step: 'let our units start', run: () => store.markOpen(id), undo: () => store.unmarkOpen() },
    {
      step: 'name the plan outside the stage',
      run: () => journal.append(armedEvent(planHash, trigger, ways)),
      undo: async () => {
        if (journal.state.name !== 'armed') return;
        await journal.append({ event: 'cancelled', reason: 'the trigger could not be set' });
      },
    },
    {
      step: 'set the trigger',
      run: async () => {
        try {
          await files.link(TRIGGER_TARGET, trigger);
        } catch (error) {
          if (!isErrno(error, 'EEXIST')) throw error;
          const found = describeForeign(trigger, await readLinkTruth(fs, trigger));
          throw new UpdateError('FOREIGN_TRIGGER', found ?? `${trigger} was set by somebody else just now`, {
            cause: error,
            hint: 'offline-update status',
          });
        }
      },
      undo: async () => {
        if ((await readLinkTruth(fs, trigger)).kind === 'ours') await files.remove(trigger);
      },
    },
  ];
}

async function carryOut(steps: readonly Step[]): Promise<void> {
  const begun: Step[] = [];
  for (const step of steps) {
    begun.unshift(step);
    try {
      await step.run();
    } catch (error) {
      // one that fails hides neither why nothing was armed, nor the ones before it
      for (const one of begun) await one.undo().catch(() => undefined);
      throw error;
    }
  }
}
