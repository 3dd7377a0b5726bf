/** What a verdict leaves behind, and what it takes away. */
import { buildReport } from '../update/report.js';
import { readStaged } from '../update/stage.js';
import { isVerdict } from '../update/state.js';
import type { Plan } from '../update/plan.js';
import type { KnownUpdate } from '../update/store.js';
import { dropBootLoaderCalls } from './boot-loader.js';
import type { Ports } from './ports.js';

/** `report.json` as of now; told anew from the journal at any time, so a failure to write it is no failure. */
export async function saveReport({ files, log }: Ports, update: KnownUpdate, plan: Plan): Promise<void> {
  const { journal, paths } = update;
  const report = buildReport(plan, journal.rows, journal.state, {
    journal: paths.journal,
    terminal: paths.terminalLog,
  });
  try {
    await files.replace(paths.report, `${JSON.stringify(report, null, 1)}\n`, 0o644);
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
  if (isVerdict(name)) await saveReport(ports, update, await ports.store.readPlan(update));
  if (name === 'confirmed') {
    // A stage without its plan is what a cut in the midst of its removal left.
    const staged = await readStaged(ports.fs, ports.paths.stage);
    if (staged === undefined || staged.id === update.id) await dropConfirmed(ports);
  }
  await closeUpdate(ports);
}
