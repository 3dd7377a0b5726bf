/**
 * The updates that this machine knows: which one is current, its journal and plan, and the history.
 * The current one is what `open` names (armed, without a verdict), else what lies in the stage.
 */
import { basename } from 'node:path';
import type { DurableFiles } from '../host/durable-files.js';
import type { FileSystem } from '../host/file-system.js';
import { ifThere } from '../host/if-there.js';
import { UpdateError } from './errors.js';
import type { UpdateEvent } from './events.js';
import { updateIds } from './held.js';
import { Journal, type Moment } from './journal.js';
import { eventRows } from './journal-rows.js';
import { pathsOfUpdate, type Paths, type UpdatePaths } from './paths.js';
import { parsePlan, planHash, planText, type Plan } from './plan.js';
import { readStaged } from './stage.js';
import { isVerdict } from './state.js';
import { newUpdateId, UPDATE_ID } from './update-id.js';

export interface KnownUpdate {
  id: string;
  paths: UpdatePaths;
  journal: Journal;
}

export interface UpdateStore {
  current(): Promise<KnownUpdate | undefined>;
  /** Errors: `UNKNOWN_UPDATE`. */
  find(id: string): Promise<KnownUpdate>;
  /** Ids, the newest first. */
  ids(): Promise<string[]>;
  /** For an update, a rollback or a drill; above all ids that the history knows, those of rollbacks, too. */
  newId(now: Date): Promise<string>;
  /** Errors: `PLAN_MISSING` when its folder was removed by hand, `PLAN_INVALID`, `FORMAT_TOO_NEW`. */
  readPlan(update: KnownUpdate): Promise<Plan>;
  /** The history folder of a new plan, with its first journal row. */
  record(plan: Plan): Promise<KnownUpdate>;
  /** From now on units of ours start in each boot, until the update has its verdict. */
  markOpen(id: string): Promise<void>;
  /** The update has its verdict, or is no longer armed. */
  unmarkOpen(): Promise<void>;
  /** Removes an update that never was armed from the history. */
  forget(id: string): Promise<void>;
}

export interface StoreParts {
  paths: Paths;
  fs: FileSystem;
  files: DurableFiles;
  moment: Moment;
  /** Told of each event, once it is durable. */
  announce?: (id: string, event: UpdateEvent) => void;
}

export function updateStore({ paths, fs, files, moment, announce }: StoreParts): UpdateStore {
  const open = async (id: string): Promise<KnownUpdate> => {
    const of = pathsOfUpdate(paths, id);
    const journal = await Journal.open(of.journal, fs, files, moment, (event) => announce?.(id, event));
    return { id, paths: of, journal };
  };
  const ids = async (): Promise<string[]> => (await updateIds(fs, paths)).reverse();
  return {
    ids,

    async current() {
      const marked = await readOpen(fs, paths.open);
      const known = marked === undefined ? undefined : await open(marked);
      // One that has its verdict is marked only because the power went before the mark was taken away.
      if (known && !isVerdict(known.journal.state.name)) return known;
      const staged = await readStaged(fs, paths.stage);
      return staged ? open(staged.id) : known;
    },

    async find(id) {
      const known = await ids();
      if (!known.includes(id)) {
        throw new UpdateError('UNKNOWN_UPDATE', `there is no update ${id}`, {
          hint: 'offline-update history',
        });
      }
      return open(id);
    },

    async newId(now) {
      const updates = await ids();
      const rollbacks = await Promise.all(updates.map((id) => rollbacksOf(open(id))));
      return newUpdateId(now, [...updates, ...rollbacks.flat()]);
    },

    async readPlan(update) {
      const { plan } = update.paths;
      const text = await ifThere(fs.readFile(plan));
      if (text !== undefined) return parsePlan(text);
      throw new UpdateError('PLAN_MISSING', `${plan} is not there: nothing is recorded of this update`, {
        hint: 'offline-update status',
      });
    },

    async record(plan) {
      const text = planText(plan);
      const of = pathsOfUpdate(paths, plan.id);
      await files.makeFolder(of.folder, 0o755);
      // For everybody to read, as the plan and the report are: status is for everybody. Durable with the plan's folder.
      await fs.createFile(of.journal, '', 0o644);
      await files.replace(of.plan, text, 0o644);
      const update = await open(plan.id);
      await update.journal.append({ event: 'prepared', planHash: planHash(text) });
      return update;
    },

    async markOpen(id) {
      await files.remove(paths.open);
      await files.link(`updates/${id}`, paths.open);
    },

    async unmarkOpen() {
      await files.remove(paths.open);
    },

    async forget(id) {
      const { journal } = await open(id);
      if (eventRows(journal.rows, 'armed').length > 0 || isVerdict(journal.state.name)) return;
      await files.removeTree(pathsOfUpdate(paths, id).folder);
    },
  };
}

/** Those that took it out of a root, or back into it. */
async function rollbacksOf(update: Promise<KnownUpdate>): Promise<string[]> {
  try {
    const { journal } = await update;
    return journal.rows.flatMap(({ entry }) => ('rollback' in entry ? [entry.rollback] : []));
  } catch {
    return []; // a journal that cannot be read keeps nothing new from being begun
  }
}

async function readOpen(fs: FileSystem, path: string): Promise<string | undefined> {
  const id = basename((await ifThere(fs.readLink(path))) ?? '');
  return UPDATE_ID.test(id) ? id : undefined;
}
