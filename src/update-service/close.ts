/** What a verdict leaves behind, and what it takes away. */
import type { DurableFiles } from '../host/durable-files.js';
import { journalCommand } from '../update/journal-command.js';
import { buildReport } from '../update/report.js';
import { readStaged } from '../update/stage.js';
import { isVerdict } from '../update/state.js';
import type { Plan } from '../update/plan.js';
import type { KnownUpdate } from '../update/store.js';
import { dropBootLoaderCalls } from './boot-loader.js';
import type { Ports } from './ports.js';

/**
 * `report.json` as of now; told anew from the journal at any time, so a failure to make it is no failure: a plan that
 * cannot be read (damaged, or of a later version, in a root that was set aside) must not keep a verdict from its end.
 */
export async function saveReport(
  { store, files, log }: Ports,
  update: KnownUpdate,
  plan?: Plan,
  write: DurableFiles['replace'] = (...words) => files.replace(...words),
): Promise<void> {
  const { journal, paths } = update;
  try {
    const report = buildReport(plan ?? (await store.readPlan(update)), journal.rows, journal.state, {
      journal: journalCommand(journal.rows).join(' '),
      terminal: paths.terminalLog,
    });
    await write(paths.report, `${JSON.stringify(report, null, 1)}\n`, 0o644);
  } catch (error) {
    log.write('warning', `the report could not be written: ${String(error)}`);
  }
}

/** No unit of ours starts for this update any more. The mark goes last: as long as it is there, the next boot goes on. */
export async function closeUpdate({ store, files, paths }: Ports): Promise<void> {
  await dropBootLoaderCalls({ files, paths });
  for (const path of [paths.claims, paths.rescued]) await files.remove(path);
  await store.unmarkOpen();
}

/** Kept until the confirmation: no interruption can need the files of the stage any more. Before `closeUpdate`. */
export async function dropConfirmed({ files, paths }: Ports): Promise<void> {
  await files.remove(paths.statusFile);
  await files.remove(paths.action);
  await files.removeTree(paths.stage);
}

/** The power went between the verdict, or a cancel, and what closes the update: all of it is done again. */
export async function closeLeftOpen(ports: Ports, update: KnownUpdate): Promise<void> {
  const { name } = update.journal.state;
  if (isVerdict(name)) await saveReport(ports, update);
  if (name === 'confirmed') {
    // A stage without its plan is what a cut in the midst of its removal left.
    const staged = await readStaged(ports.fs, ports.paths.stage);
    if (staged === undefined || staged.id === update.id) await dropConfirmed(ports);
  }
  await closeUpdate(ports);
}
